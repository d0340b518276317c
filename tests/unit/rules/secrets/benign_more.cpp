// More benign lines: clusters, mail, kernels, stack traces, builds, dumps, and every kind of id that looks random on purpose.
#include <cstdio>
#include <string_view>

#include "tests/unit/rules/secrets/benign_lines.hpp"

namespace tocsin::rules::secrets {

std::string BenignLines::syslog(std::string_view program) {
  return "Nov " + std::to_string(10 + random(20)) + " 0" + number(9) + ":" + std::to_string(10 + random(50)) + ":" + std::to_string(10 + random(50)) + " " + host() + " " +
         std::string(program) + "[" + number(99999) + "]: ";
}

std::string BenignLines::words(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += (i == 0 ? "" : " ") + std::string(one_of({"the", "password", "token", "key", "secret", "of", "user", "session", "was", "not", "is", "rotated", "for", "config", "reset", "api", "login",
                                                     "access", "refresh", "policy", "expired", "request", "and", "account", "credentials", "in", "cache", "pin", "card", "private", "public"}));
  }
  return out;
}

std::string BenignLines::query() {
  std::string out = path();
  char joint = out.find('?') == std::string::npos ? '?' : '&';
  for (std::uint32_t i = 0, n = 3 + random(9); i < n; ++i, joint = '&') {
    out += joint;
    switch (random(14)) {
      case 0: out += "utm_source=" + std::string(one_of({"news", "mail", "ads"})) + "&utm_id=" + base62(16); break;
      case 1: out += "gclid=" + base62(60) + "_BwE"; break;
      case 2: out += "fbclid=IwAR" + base62(50); break;
      case 3: out += "state=" + base62(22); break;
      case 4: out += "code_challenge=" + base62(43) + "&code_challenge_method=S256"; break;
      case 5: out += "nonce=" + base62(22); break;
      case 6: out += "page_token=" + base62(32); break;
      case 7: out += "cursor=" + base64(40); break;
      case 8: out += "v=" + hex(20); break;
      case 9: out += "_=" + digits(13); break;
      case 10: out += "sort=key&keyword=" + std::string(one_of({"monkey", "passat", "pass+holder", "hockey+key", "secret+garden", "token+ring"})); break;
      case 11: out += "sid_present=1&auth_method=password&password_set=true"; break;
      case 12: out += "id=" + uuid(); break;
      default: out += "redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fid%3D" + number(99999) + "&client_id=" + hex(20);
    }
  }
  return out;
}

std::string BenignLines::more() {
  constexpr std::string_view kUlid = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  switch (random(kMoreShapes)) {
    case 0:  // kubelet, controllers
      return "I1123 14:" + std::to_string(10 + random(50)) + ":07." + digits(6) + "       1 " + one_of({"secret_manager.go", "token_manager.go", "controller.go", "reflector.go"}) + ":" + number(999) +
             "] \"" + one_of({"Synced secret", "Rotated token", "MountVolume.SetUp succeeded", "Updating secret", "Reconciled"}) + "\" namespace=\"" + one_of({"prod", "kube-system"}) + "\" name=\"" +
             one_of({"db-credentials", "default-token-", "tls-", "smtp-password-"}) + text("bcdfghjklmnpqrstvwxz2456789", 5) + "\" uid=\"" + uuid() + "\" resourceVersion=\"" + digits(9) + "\"";
    case 1:
      return R"({"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":")" + uuid() + R"(","verb":")" + one_of({"get", "list", "watch"}) +
             R"(","user":{"username":"system:serviceaccount:prod:web","uid":")" + uuid() + R"("},"objectRef":{"resource":"secrets","name":"db-)" + text("bcdfghjklm2456789", 10) +
             R"("},"annotations":{"authorization.k8s.io/decision":"allow","authentication.kubernetes.io/credential-id":"JTI=)" + uuid() + "\"}}";
    case 2:
      return syslog("systemd") + one_of({"Started", "Stopping", "Reloading"}) + " " + one_of({"systemd-ask-password-wall.path", "user-session-key.service", "getty@tty1.service", "vault-agent.service"}) +
             " - Forward Password Requests, invocation " + hex(32) + ".";
    case 3:
      return syslog("postfix/smtp") + text("0123456789ABCDEF", 11) + ": to=<" + base62(8) + "@example.com>, relay=mx.example[" + ip() + "]:25, delay=0." + digits(2) + ", dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as " +
             text("0123456789ABCDEF", 12) + ")";
    case 4:
      return syslog("sshd") + one_of({"Accepted publickey", "Failed password", "Failed publickey"}) + " for " + one_of({"", "invalid user "}) + user() + " from " + ip() + " port " + number(65000) +
             " ssh2" + (random(2) == 0 ? "" : ": RSA SHA256:" + base64(43));
    case 5:
      return "\tat com.example." + std::string(one_of({"auth.PasswordEncoder.matches", "token.TokenStore$Key.read", "secrets.SecretManager.lambda$load$0", "api.ApiKeyFilter.doFilter"})) + "(" +
             one_of({"PasswordEncoder", "TokenStore", "SecretManager", "ApiKeyFilter"}) + ".java:" + number(999) + ") ~[auth-1." + number(9) + ".jar!/:" + hex(8) + "]";
    case 6:
      return one_of({"java.lang.IllegalStateException", "org.springframework.security.authentication.BadCredentialsException", "java.security.InvalidKeyException", "io.jsonwebtoken.ExpiredJwtException"}) +
             std::string(": ") + words(4 + random(8));
    case 7:
      return "type=" + std::string(one_of({"SYSCALL", "USER_AUTH", "CRED_ACQ", "CRYPTO_KEY_USER"})) + " msg=audit(" + digits(10) + "." + digits(3) + ":" + number(9999) + "): pid=" + number(9999) +
             " uid=0 auid=4294967295 ses=" + digits(10) + " a0=" + hex(12) + " a1=" + hex(2) + " exe=\"/usr/bin/passwd\" key=\"" + one_of({"identity", "passwd_changes", "(null)"}) + "\" fp=SHA256:" + hex(2) + ":" +
             hex(2) + ":" + hex(2) + " op=PAM:authentication acct=\"" + user() + "\"";
    case 8:
      return "type=EXECVE msg=audit(" + digits(10) + "." + digits(3) + ":" + number(999) + "): argc=4 a0=\"" + one_of({"mysql", "/usr/bin/psql", "docker", "curl"}) + "\" a1=\"-u" + user() + "\" a2=\"-p\" a3=\"" + base62(6) + "\"";
    case 9:
      return std::string(one_of({"http_requests_total", "auth_token_refresh_seconds_bucket", "vault_secret_lease_count", "password_reset_total"})) + "{instance=\"" + host() + ":9090\",le=\"0." + digits(2) +
             "\",key=\"" + hex(8) + "\",token_type=\"service\"} " + number(999999) + " " + digits(13);
    case 10:
      return one_of({"  + ", "  ~ ", "    "}) +
             std::string(one_of({"master_password = (sensitive value)", "password        = (known after apply)", "secret_string = (sensitive value)", "kms_key_id = \"arn:aws:kms:eu-central-1:"})) +
             (random(2) == 0 ? "" : digits(12) + ":key/" + uuid() + "\"");
    case 11:
      return "aws_" + std::string(one_of({"iam_access_key", "secretsmanager_secret", "key_pair", "api_gateway_api_key"})) + "." + one_of({"ci", "db", "web"}) + ": Refreshing state... [id=" +
             one_of({"arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-", "vpc-", "sg-", "key-"}) + base62(6) + "]";
    case 12: return "npm http fetch GET 200 https://registry.npmjs.org/" + std::string(one_of({"passport", "jsonwebtoken", "keytar", "tokenizer", "@types/bcrypt"})) + "/-/x-" + number(9) + "." + number(20) + ".tgz " + number(900) + "ms (cache hit) sha512-" + base64(86) + "==";
    case 13: return "   Compiling " + std::string(one_of({"secrecy", "password-hash", "keyring", "oauth2", "token-stream"})) + " v0." + number(20) + "." + number(9) + " (https://github.com/x/y?rev=" + hex(40) + "#" + hex(8) + ")";
    case 14: return "[INFO] Downloaded from central: https://repo.example/m2/org/springframework/security/spring-security-oauth2-jose/" + number(6) + "." + number(9) + "/x.jar (" + number(900) + " kB at 4.1 MB/s) sha1 " + hex(40);
    case 15: return "commit " + hex(40) + " " + words(6);
    case 16: return "index " + hex(8) + ".." + hex(8) + " 100644 a/config/secrets.yml b/config/secrets.yml @@ -" + number(99) + ",7 +" + number(99) + ",9 @@ " + words(5);
    case 17:
      return ip() + " - - [23/Nov/2026:14:10:07 +0100] \"GET " + query() + " HTTP/2.0\" 200 " + number(90000) + " \"https://shop.example" + query() + "\" \"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X)\"";
    case 18:
      return "INSERT INTO `events` (`id`, `kind`, `token_type`, `etag`, `at`) VALUES (" + number(99999) + ",'password.changed','bearer','" + hex(32) + "','2026-11-23 10:00:00'),(" + number(99999) + ",'key.rotated','api','" + hex(32) +
             "',NULL);";
    case 19: return "CREATE TABLE `users` (`id` int NOT NULL, `password` varchar(" + number(255) + ") DEFAULT NULL, `api_key_id` char(20), KEY `idx_" + hex(6) + "` (`password`)) ENGINE=InnoDB AUTO_INCREMENT=" + digits(7);
    case 20: {
      std::string out = hex(8) + "  ";
      for (int i = 0; i < 16; ++i) out += hex(2) + (i == 7 ? "  " : " ");
      return out + " |" + text("abcdefghijklmnopqrstuvwxyz.....ABCDEFG0123456789=:/", 16) + "|";
    }
    case 21: return "<img alt=\"key\" src=\"data:image/png;base64,iVBORw0KGgo" + base64(200 + random(400)) + "==\"/>";
    case 22: return "<script src=\"/" + hex(8) + ".js\" integrity=\"sha384-" + base64(64) + "\" crossorigin=\"anonymous\"></script>";
    case 23: return "ulid=01" + text(kUlid, 24) + " ksuid=2" + base62(26) + " nanoid=" + base62(10) + "_" + base62(5) + "-" + base62(4) + " cuid=c" + text("abcdefghijklmnopqrstuvwxyz0123456789", 24) + " objectid=" + hex(24) + " snowflake=" + digits(18);
    case 24: return "authorization: " + std::string(one_of({"Bearer ***", "Bearer <redacted>", "Bearer [MASKED]", "Basic ****", "Bearer ${TOKEN}", "Bearer {{token}}"})) + " x-request-id: " + uuid() + " x-amz-id-2: " + base64(76) + "=";
    case 25: return "2026-11-23 14:10:07.113 UTC [" + number(9999) + "] " + user() + "@crm LOG:  duration: " + number(99) + "." + digits(3) + " ms  execute <unnamed>: SELECT id, password_hash, token FROM users WHERE " +
                    one_of({"email = $1 AND password = $2", "token = $1", "api_key = $1 AND secret IS NOT NULL", "id = ANY($1)"});
    case 26: return "ERROR:  duplicate key value violates unique constraint \"" + std::string(one_of({"users_token_key", "api_keys_pkey", "users_email_key"})) + "\" DETAIL:  Key (" + one_of({"id", "token_id, user_id", "external_id"}) + ")=(" + number(99999) +
                    ") already exists.";
    case 27: return "Duplicate entry '" + base62(8) + "' for key '" + one_of({"users.email", "orders.PRIMARY", "keys.name"}) + "'";
    case 28: return R"({"cmd":["docker","run","-p",")" + number(9999) + ":" + number(9999) + R"(","--name","web-)" + hex(6) + R"(","nginx@sha256:)" + hex(64) + "\"]}";
    case 29: return words(8 + random(12)) + ".";
    case 30: return one_of({"verification code sent to ***", "login code: ", "confirmation code length: ", "exit code: ", "otp attempts left: ", "pin retry counter: "}) + number(9);
    case 31: return R"({"otp":true,"otp_enabled":false,"sms_code_ttl":)" + number(600) + R"(,"verification_code_length":6,"pin_set":true,"id":)" + digits(12) + "}";
    case 32: return one_of({"Ihr Passwort ist ", "Le mot de passe est ", "La contraseña es ", "La password è ", "Hasło jest ", "Het wachtwoord is ", "A senha é ", "Lösenordet är "}) +
                    std::string(one_of({"ungültig", "abgelaufen", "incorrect", "obligatoire", "incorrecta", "scaduta", "nieprawidłowe", "onjuist", "obrigatória", "felaktigt"})) + ".";
    default:
      return R"({"protoPayload":{"methodName":"google.iam.admin.v1.CreateServiceAccountKey","request":{"private_key_type":"TYPE_GOOGLE_CREDENTIALS_FILE"},"requestMetadata":{"callerIp":")" + ip() + R"("}},"insertId":")" + text("abcdefghijklmnopqrstuvwxyz0123456789", 14) +
             R"(","labels":{"key_id":")" + hex(40) + "\"}}";
  }
}

}  // namespace tocsin::rules::secrets
