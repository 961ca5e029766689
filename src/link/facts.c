/* The table's words, and the facts that follow from scheme, path and targets. Those of hosts: facts_host.c. */
#include "link/facts.h"

#include "link/facts_host.h"

#include "base/must.h"

_Static_assert(LINK_FACTS <= 64, "a fact is a bit");

#define LONG_BYTES 1000u

static const struct {
	const char *name;
	const char *meaning;
} facts[LINK_FACTS] = {
#define LINK_FACT_ROW(name, text, meaning) { text, meaning },
	LINK_FACT_TABLE(LINK_FACT_ROW)
#undef LINK_FACT_ROW
};

const char *link_fact_name(enum link_fact fact)
{
	must(fact < LINK_FACTS);
	return facts[fact].name;
}

const char *link_fact_meaning(enum link_fact fact)
{
	must(fact < LINK_FACTS);
	return facts[fact].meaning;
}

#define BIT(name) LINK_FACT_BIT(LINK_FACT_##name)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_in(struct slice word, const struct slice *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_eq_nocase(word, words[i]))
			return true;
	}
	return false;
}

static uint64_t scheme_facts(const struct url *url)
{
	static const struct slice scripts[] = { SLICE_INIT("javascript"), SLICE_INIT("vbscript"), SLICE_INIT("jscript"),
		                                SLICE_INIT("livescript"), SLICE_INIT("mocha") };
	static const struct slice blobs[] = { SLICE_INIT("blob"), SLICE_INIT("filesystem") };
	static const struct slice files[] = { SLICE_INIT("file"), SLICE_INIT("smb"), SLICE_INIT("cifs"),
		                              SLICE_INIT("nfs"), SLICE_INIT("afp") };
	static const struct slice programs[] = {
		SLICE_INIT("search-ms"), SLICE_INIT("search"),        SLICE_INIT("onenote"),
		SLICE_INIT("shell"),     SLICE_INIT("hcp"),           SLICE_INIT("mk"),
		SLICE_INIT("ssh"),       SLICE_INIT("telnet"),        SLICE_INIT("rdp"),
		SLICE_INIT("vnc"),       SLICE_INIT("vscode"),        SLICE_INIT("jnlp"),
		SLICE_INIT("jnlps"),     SLICE_INIT("itms-services"), SLICE_INIT("intent")
	};

	if (slice_eq(url->scheme, SLICE("data")))
		return BIT(SCHEME_DATA);
	if (is_in(url->scheme, scripts, COUNT(scripts)))
		return BIT(SCHEME_SCRIPT);
	if (is_in(url->scheme, blobs, COUNT(blobs)))
		return BIT(SCHEME_BLOB);
	if (is_in(url->scheme, files, COUNT(files)))
		return BIT(SCHEME_FILE);
	if (slice_starts(url->scheme, SLICE("ms-")) || is_in(url->scheme, programs, COUNT(programs)))
		return BIT(SCHEME_PROGRAM);
	return 0;
}

static const struct slice credential_words[] = {
	SLICE_INIT("login"),      SLICE_INIT("logon"),        SLICE_INIT("signin"),   SLICE_INIT("sign-in"),
	SLICE_INIT("verify"),     SLICE_INIT("verification"), SLICE_INIT("password"), SLICE_INIT("passwd"),
	SLICE_INIT("account"),    SLICE_INIT("secure"),       SLICE_INIT("security"), SLICE_INIT("webmail"),
	SLICE_INIT("owa"),        SLICE_INIT("unlock"),       SLICE_INIT("suspend"),  SLICE_INIT("wallet"),
	SLICE_INIT("banking"),    SLICE_INIT("invoice"),      SLICE_INIT("payment"),  SLICE_INIT("authenticate"),
	SLICE_INIT("credential"), SLICE_INIT("mailbox"),      SLICE_INIT("quota"),    SLICE_INIT("denglu"),
	SLICE_INIT("yanzheng"),   SLICE_INIT("zhanghao"),     SLICE_INIT("mima"),     SLICE_INIT("youxiang"),
	SLICE_INIT("confirm"),    SLICE_INIT("reactivate"),
};

/* Whether one of the words stands in `text` as a word: between bytes that are no letters. */
static bool has_credential_word(struct slice text)
{
	size_t start = 0;

	for (size_t i = 0; i <= text.len; i++) {
		const uint8_t c = i < text.len ? text.ptr[i] : 0;
		if (byte_is_alpha(c) || (c == '-' && i != start))
			continue;
		const struct slice word = slice_cut(text, start, i - start);
		if (is_in(word, credential_words, COUNT(credential_words)))
			return true;
		struct slice parts = word;
		while (parts.len != 0) {
			if (is_in(slice_until(&parts, '-'), credential_words, COUNT(credential_words)))
				return true;
		}
		start = i + 1;
	}
	return false;
}

static const struct slice executables[] = {
	SLICE_INIT("exe"),       SLICE_INIT("scr"),          SLICE_INIT("com"),  SLICE_INIT("pif"),
	SLICE_INIT("bat"),       SLICE_INIT("cmd"),          SLICE_INIT("msi"),  SLICE_INIT("msix"),
	SLICE_INIT("appx"),      SLICE_INIT("appinstaller"), SLICE_INIT("js"),   SLICE_INIT("jse"),
	SLICE_INIT("vbs"),       SLICE_INIT("vbe"),          SLICE_INIT("wsf"),  SLICE_INIT("wsh"),
	SLICE_INIT("hta"),       SLICE_INIT("ps1"),          SLICE_INIT("lnk"),  SLICE_INIT("jar"),
	SLICE_INIT("apk"),       SLICE_INIT("ipa"),          SLICE_INIT("dmg"),  SLICE_INIT("pkg"),
	SLICE_INIT("deb"),       SLICE_INIT("rpm"),          SLICE_INIT("elf"),  SLICE_INIT("dll"),
	SLICE_INIT("cpl"),       SLICE_INIT("reg"),          SLICE_INIT("chm"),  SLICE_INIT("xll"),
	SLICE_INIT("docm"),      SLICE_INIT("xlsm"),         SLICE_INIT("pptm"), SLICE_INIT("url"),
	SLICE_INIT("scf"),       SLICE_INIT("application"),  SLICE_INIT("jnlp"), SLICE_INIT("library-ms"),
	SLICE_INIT("search-ms"),
};

static const struct slice archives[] = {
	SLICE_INIT("zip"), SLICE_INIT("rar"), SLICE_INIT("7z"),   SLICE_INIT("gz"),  SLICE_INIT("tgz"),
	SLICE_INIT("bz2"), SLICE_INIT("xz"),  SLICE_INIT("tar"),  SLICE_INIT("cab"), SLICE_INIT("iso"),
	SLICE_INIT("img"), SLICE_INIT("vhd"), SLICE_INIT("vhdx"), SLICE_INIT("ace"), SLICE_INIT("arj"),
	SLICE_INIT("lzh"), SLICE_INIT("zst"), SLICE_INIT("udf"),
};

static const struct slice documents[] = {
	SLICE_INIT("pdf"), SLICE_INIT("doc"),  SLICE_INIT("docx"), SLICE_INIT("xls"),  SLICE_INIT("xlsx"),
	SLICE_INIT("ppt"), SLICE_INIT("pptx"), SLICE_INIT("jpg"),  SLICE_INIT("jpeg"), SLICE_INIT("png"),
	SLICE_INIT("gif"), SLICE_INIT("txt"),  SLICE_INIT("rtf"),  SLICE_INIT("csv"),  SLICE_INIT("mp3"),
	SLICE_INIT("mp4"), SLICE_INIT("wps"),  SLICE_INIT("ofd"),
};

static const struct slice pages[] = {
	SLICE_INIT("htm"), SLICE_INIT("html"), SLICE_INIT("shtml"), SLICE_INIT("xhtml"), SLICE_INIT("svg"),
	SLICE_INIT("mht"), SLICE_INIT("php"),  SLICE_INIT("asp"),   SLICE_INIT("aspx"),  SLICE_INIT("jsp"),
};

/* Cut the last ".word" off a name; blanks and %20 between do not hide it. */
static struct slice extension_take(struct slice *name)
{
	const size_t dot = slice_find_last(*name, '.');

	if (dot == name->len) {
		*name = (struct slice){ NULL, 0 };
		return *name;
	}
	const struct slice extension = slice_drop(*name, dot + 1);
	*name = slice_take(*name, dot);
	while (slice_ends_nocase(*name, SLICE("%20")))
		name->len -= 3;
	return extension;
}

static uint64_t path_facts(const struct url *url)
{
	const size_t slash = slice_find_last(url->path, '/');
	struct slice name = slash == url->path.len ? url->path : slice_drop(url->path, slash + 1);
	uint64_t     found = 0;

	if (url->opaque_path)
		return 0;
	const struct slice last = extension_take(&name);
	const struct slice before = extension_take(&name);
	const bool         program = is_in(last, executables, COUNT(executables));
	const bool         archive = is_in(last, archives, COUNT(archives));
	if (last.len != 0 && program)
		found |= BIT(EXECUTABLE);
	if (last.len != 0 && archive)
		found |= BIT(ARCHIVE);
	if (before.len != 0 && is_in(before, documents, COUNT(documents)) &&
	    (program || archive || is_in(last, pages, COUNT(pages))))
		found |= BIT(DOUBLE_EXTENSION);
	if (has_credential_word(url->path) || (url->host_kind == URL_HOST_DOMAIN && has_credential_word(url->host)))
		found |= BIT(CREDENTIAL_WORD);
	return found;
}

static uint64_t target_facts(const struct unwrap *unwrap)
{
	uint64_t found = unwrap->cut ? BIT(NESTED) : 0;

	for (size_t i = 0; i < unwrap->count; i++) {
		const struct unwrap_target *target = &unwrap->items[i];
		if (target->depth >= 3)
			found |= BIT(NESTED);
		if (target->depth != 1)
			continue;
		switch (target->kind) {
		case UNWRAP_WRAPPER:
			found |= BIT(WRAPPER);
			break;
		case UNWRAP_REDIRECTOR:
			found |= BIT(REDIRECTOR);
			break;
		case UNWRAP_CANDIDATE:
			found |= strcmp(target->by, "path") == 0 ? BIT(EMBEDDED) : BIT(REDIRECT);
			break;
		case UNWRAP_SHORTENER:
			found |= BIT(SHORTENER);
			break;
		case UNWRAP_OPAQUE:
			found |= BIT(OPAQUE);
			break;
		}
	}
	return found;
}

uint64_t link_facts(const struct url *url, const struct suffix_list *list, const struct unwrap *unwrap)
{
	uint64_t found = scheme_facts(url) | path_facts(url) | host_facts(url, list);

	if ((url->flags & URL_BACKSLASH) != 0)
		found |= BIT(BACKSLASH);
	if ((url->flags & URL_LINE_BREAKS) != 0)
		found |= BIT(LINE_BREAK);
	if ((url->flags & URL_SLASHES) != 0)
		found |= BIT(SLASHES);
	if (url->href.len > LONG_BYTES && (found & BIT(SCHEME_DATA)) == 0)
		found |= BIT(LONG);
	return unwrap == NULL ? found : found | target_facts(unwrap);
}
