/* The functions of Excel 4 macros, as far as macros use them. */
#include "document/xlm_names.h"

struct function {
	uint16_t     number;    /* bit 15: a command */
	int8_t       arguments; /* -1: stored with each call */
	struct slice name;
};

/* clang-format off: a table, in the order of the numbers */
static const struct function functions[] = {
	{ 1, -1, SLICE_INIT("IF") },
	{ 4, -1, SLICE_INIT("SUM") },
	{ 8, -1, SLICE_INIT("ROW") },
	{ 9, -1, SLICE_INIT("COLUMN") },
	{ 10, 0, SLICE_INIT("NA") },
	{ 19, 0, SLICE_INIT("PI") },
	{ 24, 1, SLICE_INIT("ABS") },
	{ 25, 1, SLICE_INIT("INT") },
	{ 27, 2, SLICE_INIT("ROUND") },
	{ 28, -1, SLICE_INIT("LOOKUP") },
	{ 29, -1, SLICE_INIT("INDEX") },
	{ 30, 2, SLICE_INIT("REPT") },
	{ 31, 3, SLICE_INIT("MID") },
	{ 32, 1, SLICE_INIT("LEN") },
	{ 33, 1, SLICE_INIT("VALUE") },
	{ 34, 0, SLICE_INIT("TRUE") },
	{ 35, 0, SLICE_INIT("FALSE") },
	{ 36, -1, SLICE_INIT("AND") },
	{ 37, -1, SLICE_INIT("OR") },
	{ 38, 1, SLICE_INIT("NOT") },
	{ 39, 2, SLICE_INIT("MOD") },
	{ 48, 2, SLICE_INIT("TEXT") },
	{ 53, 1, SLICE_INIT("GOTO") },
	{ 54, -1, SLICE_INIT("HALT") },
	{ 55, -1, SLICE_INIT("RETURN") },
	{ 63, 0, SLICE_INIT("RAND") },
	{ 64, -1, SLICE_INIT("MATCH") },
	{ 74, 0, SLICE_INIT("NOW") },
	{ 76, 1, SLICE_INIT("ROWS") },
	{ 77, 1, SLICE_INIT("COLUMNS") },
	{ 78, -1, SLICE_INIT("OFFSET") },
	{ 79, 2, SLICE_INIT("ABSREF") },
	{ 80, 2, SLICE_INIT("RELREF") },
	{ 81, -1, SLICE_INIT("ARGUMENT") },
	{ 82, -1, SLICE_INIT("SEARCH") },
	{ 85, -1, SLICE_INIT("STEP") },
	{ 86, 1, SLICE_INIT("TYPE") },
	{ 87, -1, SLICE_INIT("ECHO") },
	{ 88, -1, SLICE_INIT("SET.NAME") },
	{ 89, -1, SLICE_INIT("CALLER") },
	{ 90, 1, SLICE_INIT("DEREF") },
	{ 91, -1, SLICE_INIT("WINDOWS") },
	{ 93, -1, SLICE_INIT("DOCUMENTS") },
	{ 94, 0, SLICE_INIT("ACTIVE.CELL") },
	{ 95, 0, SLICE_INIT("SELECTION") },
	{ 96, -1, SLICE_INIT("RESULT") },
	{ 100, -1, SLICE_INIT("CHOOSE") },
	{ 103, -1, SLICE_INIT("LINKS") },
	{ 104, -1, SLICE_INIT("INPUT") },
	{ 106, 1, SLICE_INIT("GET.FORMULA") },
	{ 107, -1, SLICE_INIT("GET.NAME") },
	{ 108, 2, SLICE_INIT("SET.VALUE") },
	{ 110, -1, SLICE_INIT("EXEC") },
	{ 111, 1, SLICE_INIT("CHAR") },
	{ 112, 1, SLICE_INIT("LOWER") },
	{ 113, 1, SLICE_INIT("UPPER") },
	{ 114, 1, SLICE_INIT("PROPER") },
	{ 115, -1, SLICE_INIT("LEFT") },
	{ 116, -1, SLICE_INIT("RIGHT") },
	{ 117, 2, SLICE_INIT("EXACT") },
	{ 118, 1, SLICE_INIT("TRIM") },
	{ 119, 4, SLICE_INIT("REPLACE") },
	{ 120, -1, SLICE_INIT("SUBSTITUTE") },
	{ 121, 1, SLICE_INIT("CODE") },
	{ 122, -1, SLICE_INIT("NAMES") },
	{ 123, -1, SLICE_INIT("DIRECTORY") },
	{ 124, -1, SLICE_INIT("FIND") },
	{ 125, -1, SLICE_INIT("CELL") },
	{ 126, 1, SLICE_INIT("ISERR") },
	{ 128, 1, SLICE_INIT("ISNUMBER") },
	{ 130, 1, SLICE_INIT("T") },
	{ 131, 1, SLICE_INIT("N") },
	{ 132, -1, SLICE_INIT("FOPEN") },
	{ 133, 1, SLICE_INIT("FCLOSE") },
	{ 134, 1, SLICE_INIT("FSIZE") },
	{ 135, 1, SLICE_INIT("FREADLN") },
	{ 136, 2, SLICE_INIT("FREAD") },
	{ 137, 2, SLICE_INIT("FWRITELN") },
	{ 138, 2, SLICE_INIT("FWRITE") },
	{ 139, -1, SLICE_INIT("FPOS") },
	{ 145, -1, SLICE_INIT("GET.DEF") },
	{ 146, -1, SLICE_INIT("REFTEXT") },
	{ 147, -1, SLICE_INIT("TEXTREF") },
	{ 148, -1, SLICE_INIT("INDIRECT") },
	{ 149, -1, SLICE_INIT("REGISTER") },
	{ 150, -1, SLICE_INIT("CALL") },
	{ 151, -1, SLICE_INIT("ADD.BAR") },
	{ 152, -1, SLICE_INIT("ADD.MENU") },
	{ 153, -1, SLICE_INIT("ADD.COMMAND") },
	{ 162, 1, SLICE_INIT("CLEAN") },
	{ 166, 2, SLICE_INIT("INITIATE") },
	{ 167, 2, SLICE_INIT("REQUEST") },
	{ 168, 3, SLICE_INIT("POKE") },
	{ 169, 2, SLICE_INIT("EXECUTE") },
	{ 170, 1, SLICE_INIT("TERMINATE") },
	{ 171, -1, SLICE_INIT("RESTART") },
	{ 172, -1, SLICE_INIT("HELP") },
	{ 178, -1, SLICE_INIT("CANCEL.KEY") },
	{ 179, -1, SLICE_INIT("FOR") },
	{ 180, 1, SLICE_INIT("WHILE") },
	{ 181, 0, SLICE_INIT("BREAK") },
	{ 182, 0, SLICE_INIT("NEXT") },
	{ 185, -1, SLICE_INIT("GET.CELL") },
	{ 186, 1, SLICE_INIT("GET.WORKSPACE") },
	{ 187, -1, SLICE_INIT("GET.WINDOW") },
	{ 188, -1, SLICE_INIT("GET.DOCUMENT") },
	{ 201, 1, SLICE_INIT("UNREGISTER") },
	{ 219, -1, SLICE_INIT("ADDRESS") },
	{ 220, -1, SLICE_INIT("DAYS360") },
	{ 221, 0, SLICE_INIT("TODAY") },
	{ 223, 0, SLICE_INIT("ELSE") },
	{ 224, 1, SLICE_INIT("ELSE.IF") },
	{ 225, 0, SLICE_INIT("END.IF") },
	{ 226, -1, SLICE_INIT("FOR.CELL") },
	{ 236, -1, SLICE_INIT("SAVE.TOOLBAR") },
	{ 237, 3, SLICE_INIT("DATE") },
	{ 238, 0, SLICE_INIT("LAST.ERROR") },
	{ 240, -1, SLICE_INIT("COUNTA") },
	{ 244, 1, SLICE_INIT("INFO") },
	{ 248, -1, SLICE_INIT("CUSTOM.UNDO") },
	{ 251, -1, SLICE_INIT("GET.TOOL") },
	{ 253, -1, SLICE_INIT("SPELLING.CHECK") },
	{ 254, 1, SLICE_INIT("ERROR.TYPE") },
	{ 255, -1, SLICE_INIT("USER") },
	{ 256, -1, SLICE_INIT("APP.TITLE") },
	{ 257, 1, SLICE_INIT("EVALUATE") },
	{ 258, -1, SLICE_INIT("WINDOW.TITLE") },
	{ 259, -1, SLICE_INIT("SAVE.DIALOG") },
	{ 260, -1, SLICE_INIT("OPEN.DIALOG") },
	{ 262, -1, SLICE_INIT("GET.OBJECT") },
	{ 267, -1, SLICE_INIT("REGISTER.ID") },
	{ 268, -1, SLICE_INIT("GET.WORKBOOK") },
	{ 336, -1, SLICE_INIT("CONCATENATE") },
	{ 0x8000, -1, SLICE_INIT("BEEP") },
	{ 0x8001, -1, SLICE_INIT("OPEN") },
	{ 0x8002, -1, SLICE_INIT("OPEN.LINKS") },
	{ 0x8003, -1, SLICE_INIT("CLOSE.ALL") },
	{ 0x8004, -1, SLICE_INIT("SAVE") },
	{ 0x8005, -1, SLICE_INIT("SAVE.AS") },
	{ 0x8006, -1, SLICE_INIT("FILE.DELETE") },
	{ 0x800a, -1, SLICE_INIT("QUIT") },
	{ 0x8011, -1, SLICE_INIT("RUN") },
	{ 0x8032, -1, SLICE_INIT("COPY") },
	{ 0x8033, -1, SLICE_INIT("PASTE") },
	{ 0x8036, -1, SLICE_INIT("EDIT.DELETE") },
	{ 0x803d, -1, SLICE_INIT("DEFINE.NAME") },
	{ 0x803f, -1, SLICE_INIT("FORMULA.GOTO") },
	{ 0x8040, -1, SLICE_INIT("FORMULA.FIND") },
	{ 0x805d, -1, SLICE_INIT("HIDE") },
	{ 0x805e, -1, SLICE_INIT("UNHIDE") },
	{ 0x805f, -1, SLICE_INIT("WORKSPACE") },
	{ 0x8060, -1, SLICE_INIT("FORMULA") },
	{ 0x8061, -1, SLICE_INIT("FORMULA.FILL") },
	{ 0x8062, -1, SLICE_INIT("FORMULA.ARRAY") },
	{ 0x8067, -1, SLICE_INIT("ACTIVATE") },
	{ 0x806d, -1, SLICE_INIT("SELECT") },
	{ 0x806e, -1, SLICE_INIT("DELETE.NAME") },
	{ 0x8076, -1, SLICE_INIT("ALERT") },
	{ 0x8077, -1, SLICE_INIT("NEW") },
	{ 0x807a, -1, SLICE_INIT("MESSAGE") },
	{ 0x807d, -1, SLICE_INIT("APP.ACTIVATE") },
	{ 0x8082, -1, SLICE_INIT("FORMULA.REPLACE") },
	{ 0x8083, -1, SLICE_INIT("SEND.KEYS") },
	{ 0x808a, -1, SLICE_INIT("ON.WINDOW") },
	{ 0x808b, -1, SLICE_INIT("ON.DATA") },
	{ 0x808e, -1, SLICE_INIT("OUTLINE") },
	{ 0x80c8, -1, SLICE_INIT("ON.TIME") },
};

/* What a call means. */
static const struct {
	struct slice      name;
	enum content_fact fact;
} meanings[] = {
	{ SLICE_INIT("EXEC"), CONTENT_FACT_MACRO_EXECUTE },
	{ SLICE_INIT("CALL"), CONTENT_FACT_MACRO_NATIVE },
	{ SLICE_INIT("REGISTER"), CONTENT_FACT_MACRO_NATIVE },
	{ SLICE_INIT("REGISTER.ID"), CONTENT_FACT_MACRO_NATIVE },
	{ SLICE_INIT("INITIATE"), CONTENT_FACT_MACRO_EXECUTE },
	{ SLICE_INIT("EXECUTE"), CONTENT_FACT_MACRO_EXECUTE },
	{ SLICE_INIT("SEND.KEYS"), CONTENT_FACT_MACRO_EXECUTE },
	{ SLICE_INIT("APP.ACTIVATE"), CONTENT_FACT_MACRO_EXECUTE },
	{ SLICE_INIT("FOPEN"), CONTENT_FACT_MACRO_FILE },
	{ SLICE_INIT("FWRITE"), CONTENT_FACT_MACRO_FILE },
	{ SLICE_INIT("FWRITELN"), CONTENT_FACT_MACRO_FILE },
	{ SLICE_INIT("FILE.DELETE"), CONTENT_FACT_MACRO_FILE },
	{ SLICE_INIT("SAVE.AS"), CONTENT_FACT_MACRO_FILE },
	{ SLICE_INIT("OPEN"), CONTENT_FACT_MACRO_FILE },
	{ SLICE_INIT("GET.WORKSPACE"), CONTENT_FACT_MACRO_SYSTEM },
	{ SLICE_INIT("FORMULA"), CONTENT_FACT_MACRO_SELF },
	{ SLICE_INIT("FORMULA.FILL"), CONTENT_FACT_MACRO_SELF },
	{ SLICE_INIT("FORMULA.ARRAY"), CONTENT_FACT_MACRO_SELF },
	{ SLICE_INIT("SET.VALUE"), CONTENT_FACT_MACRO_SELF },
	{ SLICE_INIT("DEFINE.NAME"), CONTENT_FACT_MACRO_SELF },
	{ SLICE_INIT("EVALUATE"), CONTENT_FACT_MACRO_OBFUSCATION },
	{ SLICE_INIT("WORKBOOK.HIDE"), CONTENT_FACT_OFFICE_HIDDEN_SHEET },
};
/* clang-format on */

struct slice xlm_name_of(unsigned number, uint8_t room[8])
{
	size_t size = 0;

	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
		if (functions[i].number == number)
			return functions[i].name;
	room[size++] = (number & 0x8000) != 0 ? 'C' : 'F';
	for (unsigned shift = 16; shift != 0; shift -= 4)
		room[size++] = (uint8_t) "0123456789ABCDEF"[number >> (shift - 4) & 15];
	return slice_of(room, size);
}

size_t xlm_name_arguments(unsigned number)
{
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
		if (functions[i].number == number && functions[i].arguments >= 0)
			return (size_t)functions[i].arguments;
	return 1;
}

enum rc xlm_name_tell(struct slice name, const struct content_sink *sink)
{
	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
		if (slice_eq_nocase(name, meanings[i].name))
			return sink_fact(sink, meanings[i].fact, name);
	return RC_OK;
}
