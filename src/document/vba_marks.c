/*
 * The table of words, and the reading of sources by it: a scanner of tokens that joins strings as the interpreter would,
 * as far as they are constants.
 */
#include "document/vba_marks.h"

#include "document/ole_text.h"
#include "document/vba_strings.h"

#define IN_CODE   1u
#define IN_TEXT   2u
#define WORD_MAX  64u
/* So many calls of Chr in one expression are no line end or tab any more. */
#define CHR_MANY  6u
/* So many numbers in a row that are all characters are a text. */
#define LIST_MANY 8u

struct mark {
	struct slice      word; /* in lower case; the table is sorted by it */
	enum content_fact fact;
	unsigned          where;
};

/* clang-format off: a table */
static const struct mark marks[] = {
	{ SLICE_INIT("accessvbom"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("addfromfile"), CONTENT_FACT_MACRO_SELF, IN_CODE },
	{ SLICE_INIT("addfromstring"), CONTENT_FACT_MACRO_SELF, IN_CODE },
	{ SLICE_INIT("adodb.stream"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("allowuserinteraction"), CONTENT_FACT_MACRO_OBFUSCATION, IN_CODE },
	{ SLICE_INIT("anubis"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("app_documentopen"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("app_presentationopen"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("app_workbookopen"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("applescripttask"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("application.username"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("application_itemsend"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("application_newmail"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("application_quit"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("application_startup"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("auto_activate"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("auto_add"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("auto_close"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("auto_deactivate"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("auto_exec"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("auto_exit"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("auto_open"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("auto_ppt"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("auto_remove"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("autoclose"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("autoexec"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("autoexit"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("autonew"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("autoopen"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("bin.base64"), CONTENT_FACT_MACRO_OBFUSCATION, IN_CODE | IN_TEXT },
	{ SLICE_INIT("bin.hex"), CONTENT_FACT_MACRO_OBFUSCATION, IN_CODE | IN_TEXT },
	{ SLICE_INIT("bitsadmin"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("bitsadmin.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("callbyname"), CONTENT_FACT_MACRO_OBFUSCATION, IN_CODE },
	{ SLICE_INIT("callwindowproca"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("cdo.message"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("certutil"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("certutil.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("cmd"), CONTENT_FACT_MACRO_EXECUTE, IN_TEXT },
	{ SLICE_INIT("cmd.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("cmd32"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("codemodule"), CONTENT_FACT_MACRO_SELF, IN_CODE },
	{ SLICE_INIT("commandbutton1_click"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("copyfile"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("createeventproc"), CONTENT_FACT_MACRO_SELF, IN_CODE },
	{ SLICE_INIT("createfile"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("createfilea"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("createobject"), CONTENT_FACT_MACRO_OBJECT, IN_CODE },
	{ SLICE_INIT("createobjectex"), CONTENT_FACT_MACRO_OBJECT, IN_CODE },
	{ SLICE_INIT("createprocess"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("createprocessa"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("createprocessw"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("createremotethread"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("createtextfile"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("createthread"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("cscript"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("cscript.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("ddeexecute"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("ddeinitiate"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("deletefile"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("disableattachmentsinpv"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("disableinternetfilesinpv"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("disableunsafelocationsinpv"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("dispcallfunc"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("document_beforeclose"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("document_close"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("document_contentcontrolonenter"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("document_new"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("document_open"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("document_xmlafterinsert"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("documentbeforeclose"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("documentchange"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("documentopen"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("dotnettojscript"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("downloaddata"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("downloadfile"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("downloadstring"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("enumdateformatsw"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("enumsystemlanguagegroupsw"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("enumwindows"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("environ"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("environ$"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("execl"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("executeexcel4macro"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("filecopy"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("followhyperlink"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("forfiles"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("frame1_layout"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("frame_layout"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("frombase64string"), CONTENT_FACT_MACRO_OBFUSCATION, IN_CODE | IN_TEXT },
	{ SLICE_INIT("getmodulehandle"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("getobject"), CONTENT_FACT_MACRO_OBJECT, IN_CODE },
	{ SLICE_INIT("getprocaddress"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("getsetting"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("getspecialfolder"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("heapalloc"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("heapcreate"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("iex"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("image1_mousemove"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("inkedit_gotfocus"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("inkpicture1_painted"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("inkpicture_painted"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("inkpicture_painting"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("insertlines"), CONTENT_FACT_MACRO_SELF, IN_CODE },
	{ SLICE_INIT("installutil"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("internetexplorer.application"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("internetopen"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("internetopena"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("internetopenurl"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("internetopenurla"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("internetreadfile"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("invoke-expression"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("invoke-webrequest"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("invokeverb"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("invokeverbex"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("isdebuggerpresent"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("kill"), CONTENT_FACT_MACRO_FILE, IN_CODE },
	{ SLICE_INIT("loadlibrary"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("loadlibrarya"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("macscript"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("microsoft.xmlhttp"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("movefile"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("msbuild"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("msbuild.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("mshta"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("mshta.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("msiexec"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("msiexec.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("msscriptcontrol.scriptcontrol"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("msxml2.serverxmlhttp"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("msxml2.serverxmlhttp.6.0"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("msxml2.xmlhttp"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("msxml2.xmlhttp.3.0"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("msxml2.xmlhttp.6.0"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("multipage1_layout"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("multipage_layout"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("net.webclient"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("newdocument"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("ntallocatevirtualmemory"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("ntwritevirtualmemory"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("onconnecting"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("onslideshowpagechange"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("onslideshowterminate"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("opentextfile"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("popen"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("powershell"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("powershell.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("processstartaddress"), CONTENT_FACT_MACRO_SELF, IN_CODE },
	{ SLICE_INIT("protectedview"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("pwsh"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("pwsh.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("queueuserapc"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("recentfiles"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("regdelete"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("regread"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("regsvr32"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("regsvr32.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("regwrite"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("responsebody"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("responsebody.savetofile"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("responsetext"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("rtlcopymemory"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("rtlmovememory"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("rundll32"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("rundll32.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("savesetting"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("savetofile"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("sbiedll.dll"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("schedule.service"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("schtasks"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("schtasks.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("scriptcontrol"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("scripting.filesystemobject"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("sendkeys"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("serverxmlhttp"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("setrequestheader"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("setthreadcontext"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("settimer"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("shell"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("shell.application"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("shell32"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("shellbrowserwindow"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("shellexecute"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("shellexecutea"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("shellexecutew"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("specialfolders"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("start-bitstransfer"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("strptr"), CONTENT_FACT_MACRO_OBFUSCATION, IN_CODE },
	{ SLICE_INIT("strreverse"), CONTENT_FACT_MACRO_OBFUSCATION, IN_CODE },
	{ SLICE_INIT("system.net.webclient"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("thisdocument_open"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("urldownloadtofile"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("urldownloadtofilea"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("urldownloadtofilew"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("urlmon"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("useform_initialize"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("useragent"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("userdomain"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("userform_activate"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("userform_initialize"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("varptr"), CONTENT_FACT_MACRO_OBFUSCATION, IN_CODE },
	{ SLICE_INIT("vbawarnings"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("vbcomponents"), CONTENT_FACT_MACRO_SELF, IN_CODE },
	{ SLICE_INIT("vbe"), CONTENT_FACT_MACRO_SELF, IN_CODE },
	{ SLICE_INIT("vbox"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("vbproject"), CONTENT_FACT_MACRO_SELF, IN_CODE },
	{ SLICE_INIT("virtualalloc"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("virtualallocex"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("virtualbox"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("virtualprotect"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
	{ SLICE_INIT("vmware"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("webbrowser_navigatecomplete2"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("webbrowser_statustextchange"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("win32_computersystem"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("win32_process"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("win32_processstartup"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("winexec"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("winhttp"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("winhttp.winhttprequest"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("winhttp.winhttprequest.5.1"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("wininet"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("winmgmts"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("wmi"), CONTENT_FACT_MACRO_SYSTEM, IN_CODE | IN_TEXT },
	{ SLICE_INIT("wmic"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("wmic.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("workbook_activate"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("workbook_addininstall"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("workbook_beforeclose"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("workbook_beforesave"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("workbook_close"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("workbook_deactivate"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("workbook_open"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("worksheet_activate"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("worksheet_calculate"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("worksheet_change"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("worksheet_followhyperlink"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("worksheet_selectionchange"), CONTENT_FACT_MACRO_AUTORUN, IN_CODE },
	{ SLICE_INIT("writefile"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("writeprocessmemory"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("writetext"), CONTENT_FACT_MACRO_FILE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("wscript"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("wscript.exe"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("wscript.network"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("wscript.shell"), CONTENT_FACT_MACRO_EXECUTE, IN_CODE | IN_TEXT },
	{ SLICE_INIT("xmlhttp"), CONTENT_FACT_MACRO_NETWORK, IN_CODE | IN_TEXT },
	{ SLICE_INIT("zwallocatevirtualmemory"), CONTENT_FACT_MACRO_NATIVE, IN_CODE },
};
/* clang-format on */

#define MARKS (sizeof marks / sizeof marks[0])

/* What has been told already: a word is told once. */
struct reading {
	const struct content_sink *sink;
	struct budget             *budget;
	bool                       told[MARKS];
	bool                       told_chr;
	bool                       told_list;
	struct buf                 joined; /* the string that is being put together */
	unsigned                   pieces; /* strings and characters in it */
	unsigned                   chars;  /* of them, from Chr */
	struct buf                 list;   /* numbers in a row */
};

static size_t mark_find(struct slice word)
{
	uint8_t lower[WORD_MAX];
	size_t  low = 0, high = MARKS;

	if (word.len == 0 || word.len > WORD_MAX)
		return MARKS;
	for (size_t i = 0; i < word.len; i++)
		lower[i] = byte_lower(word.ptr[i]);
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int    order = slice_compare(slice_of(lower, word.len), marks[middle].word);
		if (order == 0)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return MARKS;
}

static enum rc mark_tell(struct reading *r, size_t at, struct slice word)
{
	if (at == MARKS || r->told[at])
		return RC_OK;
	r->told[at] = true;
	return sink_fact(r->sink, marks[at].fact, word);
}

/* The word, and each of its parts between dots. */
static enum rc word_read(struct reading *r, struct slice word, unsigned where, bool defined)
{
	struct slice rest = word;
	size_t       at = mark_find(word);
	enum rc      rc = RC_OK;

	if (at < MARKS && (marks[at].where & where) != 0 && (marks[at].fact != CONTENT_FACT_MACRO_AUTORUN || defined))
		return mark_tell(r, at, word);
	while (rc == RC_OK && rest.len != 0 && rest.len != slice_find(rest, '.')) {
		const struct slice part = slice_until(&rest, '.');
		at = mark_find(part);
		if (at < MARKS && (marks[at].where & where) != 0 && marks[at].fact != CONTENT_FACT_MACRO_AUTORUN)
			rc = mark_tell(r, at, part);
	}
	if (rc == RC_OK && rest.len != 0 && rest.len < word.len) {
		at = mark_find(rest);
		if (at < MARKS && (marks[at].where & where) != 0 && marks[at].fact != CONTENT_FACT_MACRO_AUTORUN)
			rc = mark_tell(r, at, rest);
	}
	return rc;
}

static bool word_byte(int byte)
{
	return byte >= 0 && (byte_is_alnum((uint8_t)byte) || byte == '_' || byte == '.' || byte >= 0x80);
}

/* Words and addresses in a string. */
static enum rc text_read(struct reading *r, struct slice text)
{
	struct slice rest = text;
	enum rc      rc = vba_strings_links(text, r->sink);

	while (rc == RC_OK && rest.len != 0) {
		size_t size = 0;
		while (size < rest.len && (word_byte(rest.ptr[size]) || (size != 0 && rest.ptr[size] == '-')))
			size++;
		if (size != 0)
			rc = word_read(r, slice_take(rest, size), IN_TEXT, false);
		rest = slice_drop(rest, size + 1);
	}
	return rc;
}

/* What vba_strings_decode() makes of a string; read as text, not decoded again. */
static enum rc decoded_read(void *context, const char *how, struct slice text)
{
	struct reading *r = context;
	enum rc         rc = sink_fact(r->sink, CONTENT_FACT_MACRO_OBFUSCATION, slice_str(how));

	if (rc == RC_OK)
		rc = sink_text(r->sink, CONTENT_PLACE_SCRIPT, text);
	if (rc == RC_OK)
		rc = sink_text(r->sink, CONTENT_PLACE_SCRIPT, SLICE("\n"));
	return rc == RC_OK ? text_read(r, text) : rc;
}

/* Whether a text says something that the table or an address knows: for strings that only make sense backwards. */
static bool text_speaks(struct slice text)
{
	struct slice rest = text;

	if (slice_search_nocase(text, SLICE("http://")) < text.len ||
	    slice_search_nocase(text, SLICE("https://")) < text.len)
		return true;
	while (rest.len != 0) {
		size_t size = 0;
		while (size < rest.len && word_byte(rest.ptr[size]))
			size++;
		const size_t at = size >= 5 ? mark_find(slice_take(rest, size)) : MARKS;
		if (at < MARKS && (marks[at].where & IN_TEXT) != 0)
			return true;
		rest = slice_drop(rest, size + 1);
	}
	return false;
}

static enum rc reversed_read(struct reading *r, struct slice text)
{
	struct buf back = buf_make(VBA_STRING_MAX);
	enum rc    rc = RC_OK;

	for (size_t i = text.len; i != 0; i--)
		buf_put_byte(&back, text.ptr[i - 1]);
	if (!back.failed && text_speaks(buf_slice(&back)))
		rc = decoded_read(r, "a string written backwards", buf_slice(&back));
	buf_done(&back);
	return rc;
}

/* The string is whole: read it, and what it is a coding of. */
static enum rc joined_end(struct reading *r)
{
	const struct slice text = buf_slice(&r->joined);
	enum rc            rc = RC_OK;

	if (text.len >= 3) {
		if (!budget_take(r->budget, BUDGET_STEPS, text.len * 4))
			return RC_LIMIT;
		rc = text_read(r, text);
		if (rc == RC_OK && r->pieces > 1)
			rc = sink_text(r->sink, CONTENT_PLACE_SCRIPT, text);
		if (rc == RC_OK && r->pieces > 1)
			rc = sink_text(r->sink, CONTENT_PLACE_SCRIPT, SLICE("\n"));
		if (rc == RC_OK && r->chars >= CHR_MANY && !r->told_chr) {
			r->told_chr = true;
			rc = sink_fact(r->sink, CONTENT_FACT_MACRO_OBFUSCATION, SLICE("a string of Chr() calls"));
		}
		if (rc == RC_OK)
			rc = reversed_read(r, text);
		if (rc == RC_OK)
			rc = vba_strings_decode(text, r->budget, r->sink, decoded_read, r);
	}
	buf_clear(&r->joined);
	r->pieces = r->chars = 0;
	return rc;
}

static enum rc list_end(struct reading *r)
{
	const struct slice text = buf_slice(&r->list);
	enum rc            rc = RC_OK;

	if (text.len >= LIST_MANY && vba_strings_printable(text) && !r->list.failed) {
		if (!budget_take(r->budget, BUDGET_STEPS, text.len * 4))
			return RC_LIMIT;
		rc = r->told_list ? text_read(r, text) : decoded_read(r, "a list of character numbers", text);
		r->told_list = true;
	}
	buf_clear(&r->list);
	return rc;
}

/* Where the scanner stands in the source. */
struct scanner {
	struct slice rest;
	bool         operand;  /* behind "&" or "+": a string goes on */
	bool         declared; /* in a line that begins with Declare */
	bool         defining; /* behind Sub or Function */
	bool         comma;    /* behind a comma, a number goes on a list */
	struct slice line;     /* the line we are in */
	struct slice target;   /* the variable that is assigned in this line */
	struct slice kept;     /* the variable that r->joined stands in, from a line before */
	bool         begun;    /* something stood in this line already */
};

/* A string literal; the doubled quote is one. Moves behind it. */
static void literal_take(struct scanner *s, struct buf *out)
{
	s->rest = slice_drop(s->rest, 1);
	while (s->rest.len != 0 && s->rest.ptr[0] != '\n') {
		const uint8_t byte = s->rest.ptr[0];
		s->rest = slice_drop(s->rest, 1);
		if (byte == '"') {
			if (slice_at(s->rest, 0) != '"')
				return;
			s->rest = slice_drop(s->rest, 1);
		}
		if (out->len < VBA_STRING_MAX)
			buf_put_byte(out, byte);
	}
}

/* "Chr(" was read up to the parenthesis: constants with + - * Xor between them. False: something else stands there. */
static bool chr_take(struct scanner *s, uint32_t *out)
{
	struct slice rest = s->rest;
	uint32_t     sum;

	if (slice_at(rest, 0) != '(')
		return false;
	rest = slice_drop(rest, 1);
	if (!vba_strings_sum(&rest, &sum) || slice_at(rest, 0) != ')')
		return false;
	s->rest = slice_drop(rest, 1);
	*out = sum;
	return true;
}

static enum rc operand_begin(struct reading *r, struct scanner *s)
{
	enum rc rc = RC_OK;

	if (!s->operand)
		rc = joined_end(r);
	s->operand = false;
	s->kept = (struct slice){ NULL, 0 };
	r->pieces++;
	return rc;
}

static bool is_chr(struct slice word)
{
	static const struct slice names[] = { SLICE_INIT("chr"), SLICE_INIT("chrw"), SLICE_INIT("chrb"),
		                              SLICE_INIT("char") };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (slice_eq_nocase(word, names[i]))
			return true;
	return false;
}

/* A word of code; moves behind it. */
static enum rc code_word(struct reading *r, struct scanner *s)
{
	size_t   size = 0;
	uint32_t code;
	enum rc  rc;

	while (size < s->rest.len && word_byte(s->rest.ptr[size]))
		size++;
	const struct slice word = slice_take(s->rest, size);
	s->rest = slice_drop(s->rest, size);
	if (slice_at(s->rest, 0) == '$')
		s->rest = slice_drop(s->rest, 1);
	if (!s->begun && slice_eq_nocase(word, SLICE("rem"))) {
		(void)slice_until(&s->rest, '\n');
		s->begun = false;
		return RC_OK;
	}
	const bool first = !s->begun;
	s->begun = true;
	if (is_chr(word) && chr_take(s, &code)) {
		rc = operand_begin(r, s);
		if (r->joined.len < VBA_STRING_MAX)
			ole_put_code(&r->joined, code);
		r->chars++;
		return rc;
	}
	if (s->operand || r->joined.len != 0) {
		/* "x = x & ..." goes on with what x holds from the line before. */
		const bool goes_on = s->kept.len != 0 && slice_eq_nocase(word, s->kept);
		rc = goes_on ? RC_OK : joined_end(r);
		if (rc != RC_OK)
			return rc;
	}
	s->operand = false;
	if (first)
		s->target = word;
	if (slice_eq_nocase(word, SLICE("declare")))
		s->declared = true;
	else if (s->declared && slice_eq_nocase(word, SLICE("lib"))) {
		s->declared = false;
		rc = sink_fact(r->sink, CONTENT_FACT_MACRO_NATIVE, slice_trim(s->line));
		if (rc != RC_OK)
			return rc;
	}
	rc = word_read(r, word, IN_CODE, s->defining);
	s->defining = slice_eq_nocase(word, SLICE("sub")) || slice_eq_nocase(word, SLICE("function"));
	return rc;
}

static enum rc number_take(struct reading *r, struct scanner *s)
{
	uint32_t number;
	enum rc  rc = s->comma ? RC_OK : list_end(r);

	s->begun = true;
	if (rc == RC_OK && r->joined.len != 0 && !s->operand)
		rc = joined_end(r);
	if (!vba_strings_number(&s->rest, &number)) {
		s->rest = slice_drop(s->rest, 1);
		return rc;
	}
	if (r->list.len < VBA_STRING_MAX)
		buf_put_byte(&r->list, number < 256 ? (uint8_t)number : 0);
	s->comma = false;
	return rc;
}

/* The end of a line, unless it goes on with " _". */
static enum rc line_end(struct reading *r, struct scanner *s)
{
	enum rc rc = RC_OK;

	s->rest = slice_drop(s->rest, 1);
	struct slice line = s->rest;
	s->line = slice_until(&line, '\n');
	if (r->joined.len != 0 && s->target.len != 0)
		s->kept = s->target;
	else if (r->joined.len != 0)
		rc = joined_end(r);
	s->operand = s->declared = s->defining = s->begun = false;
	s->target = (struct slice){ NULL, 0 };
	return rc;
}

static enum rc other_byte(struct reading *r, struct scanner *s)
{
	const uint8_t byte = s->rest.ptr[0];
	enum rc       rc = RC_OK;

	if (byte == '_' || byte == ' ' || byte == '\t' || byte == '\r' || byte == '(') {
		/* nothing ends here */
	} else if (byte == '&' || byte == '+') {
		s->operand = true;
	} else if (byte == ',') {
		s->comma = true;
		s->operand = false;
		rc = s->kept.len == 0 ? joined_end(r) : RC_OK;
	} else if (byte != '=') {
		s->comma = false;
		rc = list_end(r);
	}
	s->rest = slice_drop(s->rest, 1);
	return rc;
}

/* " _" and a line end: the line goes on. */
static bool continued(struct slice rest)
{
	return slice_starts(rest, SLICE("_\r\n")) || slice_starts(rest, SLICE("_\n"));
}

static enum rc token(struct reading *r, struct scanner *s)
{
	const uint8_t byte = s->rest.ptr[0];

	if (byte == '\'') {
		const size_t size = slice_find(s->rest, '\n');
		s->rest = slice_drop(s->rest, size);
		return RC_OK;
	}
	if (byte == '\n')
		return line_end(r, s);
	if (byte == '"') {
		const enum rc rc = operand_begin(r, s);
		s->begun = true;
		literal_take(s, &r->joined);
		return rc;
	}
	if (continued(s->rest)) {
		s->rest = slice_drop(s->rest, slice_find(s->rest, '\n') + 1);
		return RC_OK;
	}
	if (byte_is_digit(byte) || (byte == '&' && byte_lower((uint8_t)(slice_at(s->rest, 1) & 0xff)) == 'h'))
		return number_take(r, s);
	if (word_byte(byte))
		return code_word(r, s);
	return other_byte(r, s);
}

enum rc vba_marks(struct slice source, struct budget *budget, const struct content_sink *sink)
{
	struct reading r = { .sink = sink,
		             .budget = budget,
		             .joined = buf_make(VBA_STRING_MAX + 16),
		             .list = buf_make(VBA_STRING_MAX + 16) };
	struct scanner s = { .rest = source };
	struct slice   line = source;
	enum rc        rc = RC_OK;

	if (!budget_take(budget, BUDGET_STEPS, source.len))
		return RC_LIMIT;
	s.line = slice_until(&line, '\n');
	while (rc == RC_OK && s.rest.len != 0)
		rc = token(&r, &s);
	if (rc == RC_OK)
		rc = joined_end(&r);
	if (rc == RC_OK)
		rc = list_end(&r);
	buf_done(&r.joined);
	buf_done(&r.list);
	return rc;
}

/* Which words of the table stand in `text`. */
static void words_of(struct slice text, bool *present)
{
	struct slice rest = text;

	while (rest.len != 0) {
		size_t size = 0;
		while (size < rest.len && (byte_is_alnum(rest.ptr[size]) || rest.ptr[size] == '_'))
			size++;
		const size_t at = size >= 5 ? mark_find(slice_take(rest, size)) : MARKS;
		if (at < MARKS)
			present[at] = true;
		rest = slice_drop(rest, size + 1);
	}
}

/* Names of events of forms stay in projects long after they were deleted; those of documents are worth a word. */
static bool is_weighty(const struct mark *mark)
{
	if (mark->fact == CONTENT_FACT_MACRO_AUTORUN)
		return slice_starts(mark->word, SLICE("auto")) || slice_starts(mark->word, SLICE("document")) ||
		       slice_starts(mark->word, SLICE("workbook"));
	return mark->fact == CONTENT_FACT_MACRO_EXECUTE || mark->fact == CONTENT_FACT_MACRO_NETWORK;
}

struct slice vba_marks_missing(struct slice compiled, struct slice source)
{
	bool in_compiled[MARKS] = { false }, in_source[MARKS] = { false };

	words_of(compiled, in_compiled);
	words_of(source, in_source);
	for (size_t i = 0; i < MARKS; i++)
		if (in_compiled[i] && !in_source[i] && is_weighty(&marks[i]))
			return marks[i].word;
	return (struct slice){ NULL, 0 };
}
