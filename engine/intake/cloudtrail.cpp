// AWS CloudTrail: a record alone (NDJSON, an element that the framer cut out of {"Records":[…]}), a whole
// {"Records":[…]} on one line, and EventBridge's wrapper around `detail`.
#include <array>
#include <cmath>

#include "engine/intake/factories.hpp"
#include "engine/intake/json_record.hpp"
#include "rules/base/text.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {
namespace {

using rules::Field;
using rules::Kind;
using rules::Value;

// The members of a record that are read, found in one pass over it.
struct Members {
  Value event_time, timestamp, event_source, event_name, identity, ip, agent, request, response, additional, error_code,
      error_message, event_id, read_only, resources, recipient;
};

Members members_of(const Value& root) {
  Members m;
  for (const Field& field : root.fields()) {
    const std::string_view key = field.key;
    switch (key.size()) {
      case 7: if (key == "eventID") m.event_id = field.value; break;
      case 8: if (key == "readOnly") m.read_only = field.value; break;
      case 9:
        if (key == "eventTime") m.event_time = field.value;
        else if (key == "eventName") m.event_name = field.value;
        else if (key == "userAgent") m.agent = field.value;
        else if (key == "errorCode") m.error_code = field.value;
        else if (key == "resources") m.resources = field.value;
        break;
      case 10: if (key == "@timestamp") m.timestamp = field.value; break;
      case 11: if (key == "eventSource") m.event_source = field.value; break;
      case 12:
        if (key == "userIdentity") m.identity = field.value;
        else if (key == "errorMessage") m.error_message = field.value;
        break;
      case 15: if (key == "sourceIPAddress") m.ip = field.value; break;
      case 16: if (key == "responseElements") m.response = field.value; break;
      case 17: if (key == "requestParameters") m.request = field.value; break;
      case 18: if (key == "recipientAccountId") m.recipient = field.value; break;
      case 19: if (key == "additionalEventData") m.additional = field.value; break;
      default: break;
    }
  }
  return m;
}

std::string_view after_last(std::string_view text, char c) {
  const std::size_t at = text.rfind(c);
  return at == std::string_view::npos ? text : text.substr(at + 1);
}

// "arn:aws:sts::123456789012:assumed-role/app/i-0a" → "assumed-role/app/i-0a": what follows the fifth colon.
std::string_view arn_tail(std::string_view arn) {
  if (!arn.starts_with("arn:")) return arn;
  std::size_t at = 0;
  for (int colon = 0; colon < 5; ++colon) {
    at = arn.find(':', at);
    if (at == std::string_view::npos) return arn;
    ++at;
  }
  return arn.substr(at);
}

bool looks_like_address(std::string_view text) {
  if (text.empty() || text.size() > 45) return false;
  bool dot_or_colon = false;
  for (const char c : text) {
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (c == '.' || c == ':') dot_or_colon = true;
    else if (!hex) return false;
  }
  return dot_or_colon;
}

// Whom a role session's name stands for: an e-mail address or an IAM Identity Center session is a person's.
bool names_person(std::string_view role, std::string_view session) {
  return session.find('@') != std::string_view::npos || role.starts_with("AWSReservedSSO_");
}

void read_actor(const Value& identity, Access& a) {
  std::string_view type, arn, user, principal, account, key, invoked_by, issuer, behalf;
  for (const Field& field : identity.fields()) {
    const std::string_view name = field.key;
    if (name == "type") type = text_of(field.value);
    else if (name == "arn") arn = text_of(field.value);
    else if (name == "userName") user = text_of(field.value);
    else if (name == "principalId") principal = text_of(field.value);
    else if (name == "accountId") account = text_of(field.value);
    else if (name == "accessKeyId") key = text_of(field.value);
    else if (name == "invokedBy") invoked_by = text_of(field.value);
    else if (name == "sessionContext") issuer = text_of(field.value.get("sessionIssuer").get("userName"));
    else if (name == "onBehalfOf") behalf = text_of(field.value.get("userId"));
  }
  a.actor.session = key.empty() ? principal : key;
  a.via = invoked_by;
  const std::string_view tail = arn_tail(arn);
  if (type == "AssumedRole") {
    // assumed-role/ROLE/SESSION; principalId is ROLEID:SESSION.
    const std::size_t first = tail.find('/'), last = tail.rfind('/');
    std::string_view role = issuer, session = after_last(principal, ':');
    if (tail.starts_with("assumed-role/") && last > first) {
      role = tail.substr(first + 1, last - first - 1);
      session = tail.substr(last + 1);
    }
    a.actor.role = role;
    a.actor.account.reserve(role.size() + 1 + session.size());
    a.actor.account = role;
    if (!session.empty()) {
      a.actor.account += '/';
      a.actor.account += session;
    }
    if (names_person(role, session)) a.actor.person = session;
    if (a.actor.account.empty()) a.actor.account = principal;
  } else if (type == "IAMUser") {
    a.actor.account = !user.empty() ? user : after_last(tail, '/');
  } else if (type == "Root") {
    a.actor.account = "root";
  } else if (type == "FederatedUser") {
    a.actor.account = after_last(tail, '/');
    a.actor.role = issuer;
  } else if (type == "SAMLUser" || type == "WebIdentityUser") {
    a.actor.account = !user.empty() ? user : principal;
    a.actor.person = user;
  } else if (type == "IdentityCenterUser") {
    a.actor.account = !user.empty() ? user : !behalf.empty() ? behalf : principal;
    a.actor.person = a.actor.account;
  } else if (type == "AWSService") {
    a.actor.account = invoked_by;
  } else if (type == "AWSAccount") {
    a.actor.account = account == "ANONYMOUS_PRINCIPAL" || principal == "Anonymous" ? "anonymous"
                      : !principal.empty()                                         ? principal
                                                                                   : account;
  }
  if (a.actor.account.empty()) {
    a.actor.account = !user.empty() ? user : !arn.empty() ? tail : !principal.empty() ? principal
                      : !invoked_by.empty() ? invoked_by : account;
  }
}

bool any_prefix(std::string_view name, std::initializer_list<std::string_view> prefixes) {
  for (const std::string_view prefix : prefixes) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

// Services whose resources are data itself; a Delete or Put there is not configuration.
bool holds_data(std::string_view service) {
  for (const std::string_view s : {"s3", "dynamodb", "rds", "secretsmanager", "ssm", "redshift", "es", "glacier",
                                   "elasticfilesystem", "backup", "ebs", "docdb-elastic", "timestream", "kinesis",
                                   "firehose", "sqs", "athena", "rds-data", "redshift-data", "qldb", "keyspaces"}) {
    if (service == s) return true;
  }
  return false;
}

// The kind of access that an API call is: named calls first, then families by their first word, then readOnly.
Action action_of(std::string_view service, std::string_view name, const Value& read_only) {
  struct Named { std::string_view name; Action action; };
  // A name ending in a version ("AddPermission20150331v2") matches by its beginning.
  static constexpr Named kNamed[] = {
      {"ModifySnapshotAttribute", Action::kShare}, {"ModifyDBSnapshotAttribute", Action::kShare},
      {"ModifyDBClusterSnapshotAttribute", Action::kShare}, {"ModifyImageAttribute", Action::kShare},
      {"ModifyFpgaImageAttribute", Action::kShare}, {"ModifyDocumentPermission", Action::kShare},
      {"AuthorizeSnapshotAccess", Action::kShare}, {"AuthorizeDataShare", Action::kShare},
      {"PutBucketPolicy", Action::kShare}, {"PutBucketAcl", Action::kShare}, {"PutObjectAcl", Action::kShare},
      {"PutBucketReplication", Action::kShare}, {"PutBucketWebsite", Action::kShare},
      {"PutBucketPublicAccessBlock", Action::kShare}, {"DeleteBucketPublicAccessBlock", Action::kShare},
      {"PutAccountPublicAccessBlock", Action::kShare}, {"DeleteAccountPublicAccessBlock", Action::kShare},
      {"PutResourcePolicy", Action::kShare}, {"SetRepositoryPolicy", Action::kShare},
      {"CreateResourceShare", Action::kShare}, {"AssociateResourceShare", Action::kShare},
      {"ShareDirectory", Action::kShare}, {"AddPermission", Action::kShare},
      {"StartExportTask", Action::kExport}, {"CreateExportTask", Action::kExport},
      {"CreateInstanceExportTask", Action::kExport}, {"ExportImage", Action::kExport},
      {"ExportTableToPointInTime", Action::kExport}, {"ExportSnapshot", Action::kExport},
      {"CopySnapshot", Action::kExport}, {"CopyDBSnapshot", Action::kExport}, {"CopyDBClusterSnapshot", Action::kExport},
      {"CopyImage", Action::kExport}, {"StartDBInstanceAutomatedBackupsReplication", Action::kExport},
      {"Decrypt", Action::kRead}, {"SelectObjectContent", Action::kQuery}, {"ReceiveMessage", Action::kRead},
      {"StartQueryExecution", Action::kQuery}, {"ExecuteStatement", Action::kQuery},
      {"BatchExecuteStatement", Action::kQuery}, {"HeadObject", Action::kList}, {"HeadBucket", Action::kList},
      {"ConsoleLogin", Action::kAuthenticate}, {"SwitchRole", Action::kAuthenticate},
      {"AssumeRole", Action::kAuthenticate}, {"GetSessionToken", Action::kAuthenticate},
      {"GetFederationToken", Action::kAuthenticate}, {"GetSigninToken", Action::kAuthenticate},
      {"GetCallerIdentity", Action::kRead},
  };
  for (const Named& named : kNamed) {
    if (name.starts_with(named.name)) return named.action;
  }
  if (service == "signin" || service == "sso-oauth") return Action::kAuthenticate;
  if (any_prefix(name, {"List", "Describe", "Head", "Lookup", "Search"})) return Action::kList;
  if (any_prefix(name, {"Query", "Scan", "PartiQL"})) return Action::kQuery;
  if (any_prefix(name, {"Get", "BatchGet", "Read", "Download", "View", "Detect", "Check", "TransactGet"})) {
    return Action::kRead;
  }
  if (read_only.kind() == Kind::kBool && read_only.as_bool()) return Action::kRead;
  if (holds_data(service)) {
    if (any_prefix(name, {"Delete", "BatchDelete", "Remove", "Purge"})) return Action::kDelete;
    if (any_prefix(name, {"PutObject", "PostObject", "CopyObject", "UploadPart", "CompleteMultipart", "RestoreObject",
                          "PutItem", "UpdateItem", "BatchWrite", "TransactWrite", "PutRecord", "SendMessage",
                          "PutSecretValue", "UpdateSecret", "CreateSecret", "PutParameter", "Restore"})) {
      return Action::kWrite;
    }
  }
  if (service == "ec2" && any_prefix(name, {"DeleteSnapshot", "DeleteVolume"})) return Action::kDelete;
  return Action::kConfigure;
}

// "arn:aws:secretsmanager:eu-west-1:1:secret:crm/db-AbCdEf" → "crm/db-AbCdEf"; a plain name stays.
std::string_view resource_name(std::string_view text) {
  if (!text.starts_with("arn:")) return text;
  const std::string_view tail = arn_tail(text);
  const std::size_t at = tail.find_first_of(":/");
  return at == std::string_view::npos ? tail : tail.substr(at + 1);
}

// bucket, or bucket/first folder of the key: fine enough to tell data apart, coarse enough to count on.
std::string bucket_dataset(std::string_view bucket, std::string_view key) {
  std::string dataset(bucket);
  while (key.starts_with('/')) key.remove_prefix(1);
  const std::size_t slash = key.find('/');
  if (slash != std::string_view::npos) {
    dataset += '/';
    dataset += key.substr(0, slash);
  }
  return dataset;
}

void read_resource(const Members& m, std::string_view service, Access& a) {
  a.resource.system.reserve(4 + service.size());
  a.resource.system = "aws.";
  a.resource.system += service;
  // Within an account, except where a smaller store is named.
  a.resource.store = text_of(m.recipient);
  if (a.resource.store.empty()) a.resource.store = text_of(m.identity.get("accountId"));

  const auto named = [&](std::initializer_list<std::string_view> keys) -> std::string_view {
    for (const std::string_view key : keys) {
      const Value value = m.request.get(key);
      if (const std::string_view text = text_of(value); !text.empty()) return text;
      if (value.kind() == Kind::kArray && value.items().size() == 1) return text_of(value.items()[0]);
    }
    return {};
  };
  if (m.request.kind() == Kind::kObject) {
    if (service == "s3") {
      const std::string_view bucket = text_of(m.request.get("bucketName"));
      if (!bucket.empty()) {
        std::string_view key = text_of(m.request.get("key"));
        if (key.empty()) key = text_of(m.request.get("prefix"));
        a.resource.store = bucket;
        a.resource.dataset = bucket_dataset(bucket, key);
        a.resource.object = key;
      }
      return;
    }
    std::string_view name;
    if (service == "secretsmanager") name = named({"secretId", "name", "secretIdList"});
    else if (service == "ssm") name = named({"name", "names", "path", "instanceId", "target", "documentName"});
    else if (service == "dynamodb") name = named({"tableName", "tableArn"});
    else if (service == "rds") {
      name = named({"dBSnapshotIdentifier", "dBClusterSnapshotIdentifier", "sourceArn", "dBInstanceIdentifier",
                    "dBClusterIdentifier", "sourceDBSnapshotIdentifier"});
    } else if (service == "ec2") {
      name = named({"snapshotId", "imageId", "volumeId", "instanceId", "groupId"});
    } else if (service == "kms") {
      name = named({"keyId"});
    } else if (service == "iam") {
      name = named({"userName", "roleName", "groupName", "policyArn"});
    } else if (service == "lambda") {
      name = named({"functionName", "layerName"});
    } else if (service == "logs") {
      name = named({"logGroupName", "logGroupIdentifier"});
    } else if (service == "athena" || service == "glue") {
      name = named({"tableName", "databaseName", "workGroup"});
    } else if (service == "redshift") {
      name = named({"snapshotIdentifier", "clusterIdentifier"});
    } else if (service == "sts") {
      name = named({"roleArn"});
    } else {
      name = named({"name", "resourceArn", "arn", "id"});
    }
    a.resource.dataset = resource_name(name);
  }
  if (a.resource.dataset.empty() && m.resources.kind() == Kind::kArray && m.resources.items().size() == 1) {
    std::string_view arn = text_of(m.resources.items()[0].get("ARN"));
    if (arn.empty()) arn = text_of(m.resources.items()[0].get("ARNPrefix"));
    a.resource.dataset = resource_name(arn);
  }
}

// A float in the log; whole numbers of bytes that a double holds exactly.
std::optional<std::uint64_t> bytes_in(const Value& value) {
  constexpr double kMost = 9e15;
  if (value.kind() == Kind::kInt && value.as_int() >= 0) return static_cast<std::uint64_t>(value.as_int());
  if (value.kind() != Kind::kDouble) return std::nullopt;
  const double d = value.as_double();
  if (!(d >= 0 && d <= kMost)) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(d));
}

class CloudTrail final : public Decoder {
 public:
  std::string_view format() const noexcept override { return "cloudtrail"; }

  Result<void> decode(std::string_view record, const Origin& origin, rules::Arena& arena,
                      std::vector<Decoded>& out) override {
    auto root = parse_record(record, arena);
    if (!root) return pass(std::move(root));
    const Value records = root->get("Records");
    if (records.kind() != Kind::kArray) return one(*root, record, origin, out);
    const std::size_t before = out.size();
    for (const Value& item : records.items()) {
      if (auto done = one(item, record, origin, out); !done) {
        out.resize(before);
        return done;
      }
    }
    return {};
  }

 private:
  static Result<void> one(Value root, std::string_view record, const Origin& origin, std::vector<Decoded>& out) {
    if (root.kind() != Kind::kObject) return fail(Errc::kInvalid, "not a CloudTrail record: it is no JSON object");
    Members m = members_of(root);
    if (!m.event_name.present()) {
      if (const Value detail = root.get("detail"); detail.kind() == Kind::kObject) {
        root = detail;
        m = members_of(root);
      }
    }
    const std::string_view name = text_of(m.event_name), source = text_of(m.event_source);
    if (name.empty() || source.empty()) {
      return fail(Errc::kInvalid, "not a CloudTrail record: it has no eventName or no eventSource");
    }
    std::string_view time = text_of(m.event_time);
    if (time.empty()) time = text_of(m.timestamp);
    const auto at = parse_rfc3339(time, true);
    if (!at) return fail(Errc::kInvalid, "the eventTime of this CloudTrail record is missing or is no time");

    Decoded& decoded = out.emplace_back();
    Access& a = decoded.access;
    a.time = *at;
    a.time_known = true;
    a.origin = origin;
    a.format = "cloudtrail";
    a.event_id = text_of(m.event_id);
    a.operation = name;
    const std::string_view service = source.substr(0, source.find(".amazonaws.com"));
    read_actor(m.identity, a);
    read_resource(m, service, a);
    a.action = action_of(service, name, m.read_only);

    const std::string_view ip = text_of(m.ip);
    if (looks_like_address(ip)) a.client.ip = ip;
    else if (a.via.empty()) a.via = ip;  // "AWS Internal" or the service that called
    a.client.user_agent = text_of(m.agent);

    const bool writes = a.action == Action::kWrite;
    if (m.additional.kind() == Kind::kObject) {
      const Value moved = m.additional.get(writes ? "bytesTransferredIn" : "bytesTransferredOut");
      if (const auto bytes = bytes_in(moved)) a.bytes = {*bytes, Certainty::kExact};
    }

    const std::string_view code = text_of(m.error_code);
    const bool login_failed = text_of(m.response.get("ConsoleLogin")) == "Failure";
    a.outcome = code.empty() && !login_failed && text_of(m.error_message).empty() ? Outcome::kSuccess : Outcome::kFailure;
    if (a.outcome == Outcome::kFailure) a.error = code.empty() ? text_of(m.error_message) : code;

    decoded.event.source = {.product = "aws", .category = {}, .service = "cloudtrail"};
    decoded.event.root = root;
    decoded.event.raw = record;
    decoded.raw = record;
    return {};
  }
};

}  // namespace

std::unique_ptr<Decoder> make_cloudtrail() { return std::make_unique<CloudTrail>(); }

}  // namespace tocsin::engine
