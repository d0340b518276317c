#include "intake_test.hpp"

namespace tocsin::engine {
namespace {

constexpr std::string_view kGetObject =
    R"({"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:i-0abc","arn":"arn:aws:sts::123456789012:assumed-role/app-reader/i-0abc","accountId":"123456789012","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","userName":"app-reader"}}},"eventTime":"2026-11-23T10:12:33Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.44","userAgent":"[aws-cli/2.15]","requestParameters":{"bucketName":"crm-export","key":"people/2026/a.csv"},"responseElements":null,"additionalEventData":{"bytesTransferredIn":0.0,"bytesTransferredOut":52428800.0},"eventID":"e-1","readOnly":true,"recipientAccountId":"123456789012"})";

TEST(CloudTrail, FillsEveryField) {
  Bench trail("cloudtrail");
  const DecodedRecord out = trail(kGetObject);
  ASSERT_EQ(out.all.size(), 1U) << out.error;
  const Access& a = out.all[0].access;
  EXPECT_EQ(format_rfc3339(a.time), "2026-11-23T10:12:33Z");
  EXPECT_EQ(a.event_id, "e-1");
  EXPECT_EQ(record_id("cloudtrail", kGetObject, nullptr), "e-1");
  EXPECT_EQ(a.actor.account, "app-reader/i-0abc");
  EXPECT_EQ(a.actor.person, "") << "an instance is no person";
  EXPECT_EQ(a.actor.role, "app-reader");
  EXPECT_EQ(a.actor.session, "ASIAEXAMPLE");
  EXPECT_EQ(a.action, Action::kRead);
  EXPECT_EQ(a.operation, "GetObject");
  EXPECT_EQ(a.resource.system, "aws.s3");
  EXPECT_EQ(a.resource.store, "crm-export");
  EXPECT_EQ(a.resource.dataset, "crm-export/people");
  EXPECT_EQ(a.bytes.value, 52428800U);
  EXPECT_EQ(a.bytes.certainty, Certainty::kExact);
  EXPECT_EQ(a.rows.certainty, Certainty::kUnknown);
  EXPECT_EQ(a.client.ip, "192.0.2.44");
  EXPECT_EQ(a.client.user_agent, "[aws-cli/2.15]");
  EXPECT_EQ(a.outcome, Outcome::kSuccess);
  EXPECT_EQ(out.all[0].event.source.product, "aws");
  EXPECT_EQ(out.all[0].event.source.service, "cloudtrail");
  EXPECT_EQ(out.all[0].event.root.get("requestParameters").get("key").as_string(), "people/2026/a.csv");
}

std::string record(const std::string& identity, const std::string& more = "") {
  return R"({"eventTime":"2026-11-23T10:12:33Z","eventSource":"ec2.amazonaws.com","eventName":"DescribeInstances","userIdentity":)" +
         identity + more + "}";
}

TEST(CloudTrail, Actors) {
  struct Row { const char* name; const char* identity; const char* account; const char* person; const char* role; };
  Bench trail("cloudtrail");
  for (const Row& row : {
           Row{"user", R"({"type":"IAMUser","userName":"anna","arn":"arn:aws:iam::1:user/anna","accessKeyId":"AKIA"})", "anna", "", ""},
           Row{"user by arn", R"({"type":"IAMUser","arn":"arn:aws:iam::1:user/team/anna"})", "anna", "", ""},
           Row{"root", R"({"type":"Root","accountId":"1","arn":"arn:aws:iam::1:root"})", "root", "", ""},
           Row{"single sign-on", R"({"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/AWSReservedSSO_Admin_0f/anna","principalId":"A:anna"})", "AWSReservedSSO_Admin_0f/anna", "anna", "AWSReservedSSO_Admin_0f"},
           Row{"e-mail as session", R"({"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/dba/anna@example.org"})", "dba/anna@example.org", "anna@example.org", "dba"},
           Row{"role without arn", R"({"type":"AssumedRole","principalId":"AROA:job","sessionContext":{"sessionIssuer":{"userName":"etl"}}})", "etl/job", "", "etl"},
           Row{"federated", R"({"type":"FederatedUser","arn":"arn:aws:sts::1:federated-user/bob","sessionContext":{"sessionIssuer":{"userName":"anna"}}})", "bob", "", "anna"},
           Row{"SAML", R"({"type":"SAMLUser","userName":"anna@example.org","principalId":"x"})", "anna@example.org", "anna@example.org", ""},
           Row{"service", R"({"type":"AWSService","invokedBy":"backup.amazonaws.com"})", "backup.amazonaws.com", "", ""},
           Row{"other account", R"({"type":"AWSAccount","principalId":"AIDAX","accountId":"2"})", "AIDAX", "", ""},
           Row{"anonymous", R"({"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"})", "anonymous", "", ""},
           Row{"identity centre", R"({"type":"IdentityCenterUser","onBehalfOf":{"userId":"u-7"}})", "u-7", "u-7", ""},
           Row{"something new", R"({"type":"Robot","principalId":"r2"})", "r2", "", ""},
       }) {
    const Access a = trail.one(record(row.identity));
    EXPECT_EQ(a.actor.account, row.account) << row.name;
    EXPECT_EQ(a.actor.person, row.person) << row.name;
    EXPECT_EQ(a.actor.role, row.role) << row.name;
  }
}

TEST(CloudTrail, ActionsAndResources) {
  struct Row { const char* source; const char* event; const char* request; Action action; const char* dataset; };
  Bench trail("cloudtrail");
  for (const Row& row : {
           Row{"s3", "GetObject", R"({"bucketName":"b","key":"a.csv"})", Action::kRead, "b"},
           Row{"s3", "ListObjects", R"({"bucketName":"b","prefix":"people/"})", Action::kList, "b/people"},
           Row{"s3", "PutObject", R"({"bucketName":"b","key":"x/y"})", Action::kWrite, "b/x"},
           Row{"s3", "DeleteObject", R"({"bucketName":"b","key":"x/y"})", Action::kDelete, "b/x"},
           Row{"s3", "PutBucketPolicy", R"({"bucketName":"b"})", Action::kShare, "b"},
           Row{"secretsmanager", "GetSecretValue", R"({"secretId":"arn:aws:secretsmanager:eu-west-1:1:secret:crm/db-AbCdEf"})", Action::kRead, "crm/db-AbCdEf"},
           Row{"ssm", "GetParameters", R"({"names":["/prod/db"],"withDecryption":true})", Action::kRead, "/prod/db"},
           Row{"ec2", "ModifySnapshotAttribute", R"({"snapshotId":"snap-1"})", Action::kShare, "snap-1"},
           Row{"ec2", "ModifyImageAttribute", R"({"imageId":"ami-1"})", Action::kShare, "ami-1"},
           Row{"rds", "ModifyDBSnapshotAttribute", R"({"dBSnapshotIdentifier":"s1"})", Action::kShare, "s1"},
           Row{"rds", "StartExportTask", R"({"sourceArn":"arn:aws:rds:eu:1:snapshot:s1"})", Action::kExport, "s1"},
           Row{"lambda", "AddPermission20150331v2", R"({"functionName":"f"})", Action::kShare, "f"},
           Row{"ec2", "GetPasswordData", R"({"instanceId":"i-1"})", Action::kRead, "i-1"},
           Row{"ec2", "DescribeInstances", R"({})", Action::kList, ""},
           Row{"cloudtrail", "StopLogging", R"({"name":"trail-1"})", Action::kConfigure, "trail-1"},
           Row{"cloudtrail", "DeleteTrail", R"({"name":"trail-1"})", Action::kConfigure, "trail-1"},
           Row{"sts", "AssumeRole", R"({"roleArn":"arn:aws:iam::1:role/dba"})", Action::kAuthenticate, "dba"},
           Row{"dynamodb", "Scan", R"({"tableName":"people"})", Action::kQuery, "people"},
           Row{"dynamodb", "BatchGetItem", R"({})", Action::kRead, ""},
           Row{"iam", "CreateUser", R"({"userName":"x"})", Action::kConfigure, "x"},
           Row{"kms", "Decrypt", "null", Action::kRead, ""},
       }) {
    const Access a = trail.one(std::string(R"({"eventTime":"2026-11-23T10:12:33Z","eventSource":")") + row.source +
                               R"(.amazonaws.com","eventName":")" + row.event + R"(","requestParameters":)" + row.request + "}");
    EXPECT_EQ(a.action, row.action) << row.event;
    EXPECT_EQ(a.resource.dataset, row.dataset) << row.event;
    EXPECT_EQ(a.resource.system, std::string("aws.") + row.source);
  }
}

TEST(CloudTrail, OutcomesAndAddresses) {
  Bench trail("cloudtrail");
  const char* user = R"({"type":"IAMUser","userName":"anna"})";
  Access a = trail.one(record(user, R"(,"errorCode":"AccessDenied","errorMessage":"no")"));
  EXPECT_EQ(a.outcome, Outcome::kFailure);
  EXPECT_EQ(a.error, "AccessDenied");
  a = trail.one(record(user, R"(,"responseElements":{"ConsoleLogin":"Failure"},"errorMessage":"Failed authentication")"));
  EXPECT_EQ(a.outcome, Outcome::kFailure);
  EXPECT_EQ(a.error, "Failed authentication");
  a = trail.one(record(user, R"(,"sourceIPAddress":"AWS Internal")"));
  EXPECT_EQ(a.client.ip, "");
  EXPECT_EQ(a.via, "AWS Internal");
  a = trail.one(record(user, R"(,"sourceIPAddress":"2001:db8::1")"));
  EXPECT_EQ(a.client.ip, "2001:db8::1");
}

TEST(CloudTrail, Wrappers) {
  Bench trail("cloudtrail");
  const std::string bare(kGetObject);
  EXPECT_EQ(trail.one(R"({"version":"0","detail-type":"AWS API Call via CloudTrail","detail":)" + bare + "}").event_id, "e-1");
  EXPECT_EQ(record_id("cloudtrail", R"({"detail":{"eventID":"e-9"}})", nullptr), "e-9");
  DecodedRecord out = trail(R"({"Records":[)" + bare + "," + bare + "]}");
  EXPECT_EQ(out.all.size(), 2U);
  out = trail(R"({"Records":[)" + bare + ",{}]}");
  EXPECT_TRUE(out.all.empty()) << "all or nothing of one record";
  EXPECT_NE(out.error, "");
  std::string cloudwatch = bare;
  cloudwatch.replace(cloudwatch.find("\"eventTime\""), 11, "\"@timestamp\"");
  EXPECT_EQ(format_rfc3339(trail.one(cloudwatch).time), "2026-11-23T10:12:33Z");
}

TEST(CloudTrail, RefusesOtherJson) {
  Bench trail("cloudtrail");
  for (const char* bad : {"{}", R"({"eventName":"x"})", R"({"eventName":"x","eventSource":"s3.amazonaws.com"})",
                          R"({"eventName":"x","eventSource":"s3.amazonaws.com","eventTime":"noon"})", "[]", "{", "", "null"}) {
    EXPECT_NE(trail(bad).error, "") << bad;
  }
  // Wrong kinds everywhere are no reason to crash.
  EXPECT_EQ(trail(R"({"eventName":"GetObject","eventSource":"s3.amazonaws.com","eventTime":"2026-11-23T10:12:33Z","userIdentity":7,"requestParameters":"x","additionalEventData":[],"resources":{},"errorCode":5,"readOnly":"yes","sourceIPAddress":null})").error, "");
}

}  // namespace
}  // namespace tocsin::engine
