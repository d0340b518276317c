// The sample: what idle machines start, what their records hold beside, what cloud audit logs and web servers write.
#include "rules/sigma/ordinary.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "rules/sigma/hash.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr std::array<std::string_view, 121> kTexts = {
    // processes of an idle Windows machine, and what administrators and programs start
    R"(c:\windows\system32\svchost.exe)",
    R"(c:\windows\system32\svchost.exe -k netsvcs -p -s schedule)",
    R"(c:\windows\system32\svchost.exe -k localservicenetworkrestricted -p -s eventlog)",
    R"(c:\windows\system32\services.exe)",
    R"(c:\windows\system32\lsass.exe)",
    R"(c:\windows\system32\winlogon.exe)",
    R"(c:\windows\system32\conhost.exe)",
    R"(\??\c:\windows\system32\conhost.exe 0xffffffff -forcev1)",
    R"(c:\windows\system32\cmd.exe)",
    R"("c:\windows\system32\cmd.exe" /c "c:\program files\application\start.bat")",
    R"(c:\windows\system32\cmd.exe /d /s /c ""c:\users\user\appdata\local\application\run.cmd" --option=value")",
    R"(cmd.exe /c dir c:\users\user\documents)",
    R"(c:\windows\syswow64\cmd.exe)",
    R"(c:\windows\system32\windowspowershell\v1.0\powershell.exe)",
    R"("c:\windows\system32\windowspowershell\v1.0\powershell.exe" -noprofile -executionpolicy bypass -file "c:\scripts\report.ps1")",
    R"(powershell.exe -noprofile -noninteractive -command "& { get-service | where-object { $_.status -eq 'running' } }")",
    R"(powershell -ep bypass -c get-process)",
    R"(c:\program files\powershell\7\pwsh.exe)",
    R"(c:\windows\explorer.exe)",
    R"(c:\windows\system32\rundll32.exe)",
    R"(c:\windows\system32\rundll32.exe shell32.dll,control_rundll c:\windows\system32\inetcpl.cpl)",
    R"(c:\windows\system32\regsvr32.exe /s c:\windows\system32\library.dll)",
    R"(c:\windows\syswow64\rundll32.exe)",
    R"(c:\windows\system32\mshta.exe)",
    R"(c:\windows\system32\wscript.exe "c:\scripts\logon.vbs")",
    R"(c:\windows\system32\cscript.exe //nologo c:\scripts\inventory.vbs)",
    R"(c:\windows\system32\msiexec.exe /v)",
    R"(msiexec.exe /i "c:\users\user\downloads\setup.msi" /qn)",
    R"(c:\windows\system32\taskhostw.exe)",
    R"(c:\windows\system32\backgroundtaskhost.exe -servername:app)",
    R"(c:\windows\system32\runtimebroker.exe -embedding)",
    R"(c:\windows\system32\dllhost.exe /processid:{ab8902b4-09ca-4bb6-b78d-a8f59079a8d5})",
    R"(c:\windows\system32\wbem\wmiprvse.exe -secured -embedding)",
    R"(c:\windows\system32\wbem\wmic.exe os get caption)",
    R"(c:\windows\system32\schtasks.exe /query /fo list)",
    R"(c:\windows\system32\sc.exe query)",
    R"(c:\windows\system32\reg.exe query hklm\software\microsoft\windows\currentversion)",
    R"(reg add hkcu\software\application /v value /t reg_dword /d 1 /f)",
    R"(c:\windows\system32\net.exe use)",
    R"(c:\windows\system32\net1.exe user)",
    R"(c:\windows\system32\ipconfig.exe /all)",
    R"(c:\windows\system32\whoami.exe)",
    R"(c:\windows\system32\ping.exe -n 1 server)",
    R"(c:\windows\system32\tasklist.exe)",
    R"(c:\windows\system32\taskkill.exe /f /im application.exe)",
    R"(c:\windows\system32\bitsadmin.exe)",
    R"(c:\windows\system32\certutil.exe)",
    R"(c:\windows\system32\find.exe)",
    R"(c:\windows\system32\findstr.exe /i name)",
    R"(c:\windows\system32\searchindexer.exe)",
    R"(c:\windows\system32\notepad.exe)",
    R"(c:\windows\system32\spoolsv.exe)",
    R"(c:\windows\system32\userinit.exe)",
    R"(c:\windows\system32\werfault.exe)",
    R"(c:\windows\servicing\trustedinstaller.exe)",
    R"(c:\windows\microsoft.net\framework64\v4.0.30319\ngen.exe)",
    R"(c:\windows\temp\installer.exe)",
    R"(c:\program files\google\chrome\application\chrome.exe --type=renderer --lang=en-us)",
    R"("c:\program files (x86)\microsoft\edge\application\msedge.exe" --no-startup-window --type=utility)",
    R"(c:\program files\mozilla firefox\firefox.exe -contentproc)",
    R"(c:\program files\microsoft office\root\office16\winword.exe /n "c:\users\user\documents\letter.docx")",
    R"(c:\program files\microsoft office\root\office16\excel.exe)",
    R"(c:\program files\microsoft office\root\office16\outlook.exe)",
    R"(c:\users\user\appdata\local\microsoft\onedrive\onedrive.exe /background)",
    R"(c:\users\user\appdata\local\temp\setup.tmp)",
    R"(c:\users\user\appdata\roaming\application\update.exe --processstart)",
    R"(c:\users\user\downloads\setup.exe)",
    R"(c:\users\user\desktop\program.exe)",
    R"(c:\programdata\microsoft\windows defender\platform\msmpeng.exe)",
    R"(c:\program files\git\cmd\git.exe clone https://github.com/example/example.git)",
    R"(c:\python311\python.exe -m pip install package)",
    R"(c:\program files\nodejs\node.exe c:\app\server.js)",
    R"(c:\program files\java\bin\java.exe -jar application.jar)",
    R"(curl.exe -s -o file https://www.example.com/index.html)",
    R"(copy c:\a.txt \\server\share\a.txt > nul 2>&1 && echo done | more)",
    // the other members of such an event
    "microsoft-windows-sysmon/operational", "microsoft-windows-sysmon", "microsoft windows operating system", "microsoft corporation",
    "windows command processor", "windows powershell", "nt authority\\system", "nt authority\\network service", "nt authority\\local service",
    "medium", "high", "system", "low", "cmd.exe", "powershell.exe", "rundll32.exe", "svchost.exe", "net.exe", "net1.exe",
    "sha1=0123456789abcdef0123456789abcdef01234567,md5=0123456789abcdef0123456789abcdef,sha256=0123456789abcdef,imphash=0123456789abcdef",
    // cloud audit logs
    "assumedrole", "iamuser", "awsservice", "role", "awsapicall", "management", "eu-central-1", "us-east-1",
    "s3.amazonaws.com", "sts.amazonaws.com", "ec2.amazonaws.com", "iam.amazonaws.com", "kms.amazonaws.com", "arn:aws:sts::111122223333:assumed-role/app/session",
    "aws-cli/2.15.0 python/3.11.6 linux/5.10 exe/x86_64", "aws-sdk-java/2.20.162 linux/5.10 openjdk_64-bit_server_vm", "success", "true", "false",
    // the web
    "get", "post", "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/120.0.0.0 safari/537.36",
    "/index.php?id=1&page=2", "/static/app.js", "https://www.example.com/path?query=value", "select id, name from patient where id = 1 order by name",
};

// How often those are met that are met far more often than the others.
struct Usual {
  std::string_view text;
  int times;
};
constexpr std::array kUsual = {
    Usual{R"(c:\windows\system32\svchost.exe)", 12}, Usual{R"(c:\windows\system32\conhost.exe)", 8}, Usual{R"(c:\windows\system32\cmd.exe)", 8},
    Usual{R"(c:\windows\explorer.exe)", 6}, Usual{R"(c:\windows\system32\services.exe)", 4},
    Usual{R"(c:\windows\system32\windowspowershell\v1.0\powershell.exe)", 5}, Usual{R"(c:\windows\system32\rundll32.exe)", 3},
    Usual{R"(c:\windows\system32\taskhostw.exe)", 3}, Usual{R"(c:\windows\system32\wbem\wmiprvse.exe)", 3},
    Usual{R"(c:\program files\google\chrome\application\chrome.exe)", 4}, Usual{R"(c:\program files (x86)\microsoft\edge\application\msedge.exe)", 4},
    Usual{R"(nt authority\system)", 30}, Usual{"system", 30}, Usual{"medium", 30}, Usual{"assumedrole", 12}, Usual{"role", 12}, Usual{"awsapicall", 12},
    Usual{"s3.amazonaws.com", 4}, Usual{"sts.amazonaws.com", 4}, Usual{"ec2.amazonaws.com", 4}, Usual{"success", 8}, Usual{"0x3e7", 30},
};

// Every text between line breaks, and which pieces of four bytes occur, so that a rare text is known at once.
struct Sample {
  std::string joined = "\n";
  std::vector<bool> pieces = std::vector<bool>(1U << 16);
  void add(std::string_view text, int times) {
    for (; times > 0; --times) {
      joined += text;
      joined += '\n';
    }
  }
  static std::size_t number(std::uint32_t piece) noexcept { return piece * 0x9E3779B1U >> 16; }
  Sample() {
    for (const std::string_view text : kTexts) add(text, 1);
    for (const Usual& usual : kUsual) add(usual.text, usual.times);
    for (std::size_t i = 0; i + 4 <= joined.size(); ++i) pieces[number(load_half(joined.data() + i))] = true;
  }
};

}  // namespace

std::span<const std::string_view> ordinary_texts() noexcept { return kTexts; }

std::size_t ordinary(std::string_view text, Where where) {
  static const Sample sample;
  for (std::size_t i = 0; i + 4 <= text.size(); ++i) {
    if (!sample.pieces[Sample::number(load_half(text.data() + i))]) return 0;
  }
  std::string sought;
  if (where == Where::kFirst || where == Where::kWhole) sought += '\n';
  sought += text;
  if (where == Where::kLast || where == Where::kWhole) sought += '\n';
  std::size_t found = 0;
  for (std::size_t at = sample.joined.find(sought); at != std::string::npos && found < kMostOrdinary; at = sample.joined.find(sought, at + 1)) ++found;
  return found;
}

}  // namespace tocsin::rules::sigma
