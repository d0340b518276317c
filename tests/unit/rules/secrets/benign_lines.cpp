// The lines. Each shape varies in its fields, so that a million of them are a million different ones.
#include "tests/unit/rules/secrets/benign_lines.hpp"

#include <string_view>

namespace tocsin::rules::secrets {

std::string BenignLines::text(std::string_view alphabet, std::size_t length) {
  std::string out;
  while (out.size() < length) out += alphabet[random(static_cast<std::uint32_t>(alphabet.size()))];
  return out;
}

std::string BenignLines::uuid() { return hex(8) + "-" + hex(4) + "-4" + hex(3) + "-a" + hex(3) + "-" + hex(12); }

std::string BenignLines::ip() {
  if (random(8) == 0) return "2001:db8:" + hex(4) + "::" + hex(4);
  return "10." + number(256) + "." + number(256) + "." + number(256);
}

std::string BenignLines::time() {
  const auto two = [&](std::uint32_t below) { return std::to_string(100 + random(below)).substr(1); };
  return "2026-11-" + std::to_string(10 + random(20)) + "T" + two(24) + ":" + two(60) + ":" + two(60) + "." + digits(3) + "Z";
}

const char* BenignLines::user() {
  return one_of({"anna", "ben.keller", "svc-backup", "root", "eva@example.com", "carla1990", "deploy", "postgres", "www-data", "m.novak", "jürgen", "app_ro"});
}
const char* BenignLines::host() {
  return one_of({"web01", "db-2.internal", "k8s-node-7", "cache.prod.example", "mail.example.com", "edge-fra-3", "ip-10-0-3-17.eu-west-1.compute.internal"});
}
const char* BenignLines::path() {
  return one_of({"/api/v2/patients", "/login", "/reset-password", "/oauth/token", "/assets/app.7f3c.js", "/health", "/users/password/edit", "/api/keys",
                 "/secrets/list", "/img/logo.svg", "/cart/checkout", "/.well-known/jwks.json", "/metrics", "/account/passwords?tab=policy",
                 "/search?q=forgot+password", "/auth/callback?error=access_denied", "/token/introspect", "/public_key", "/monkey/banana"});
}

std::string BenignLines::next() {
  if (random(3) != 0) return more();
  switch (random(kShapes)) {
    case 0: {  // JSON of a service
      std::string out = R"({"time":")" + time() + R"(","level":")" + one_of({"info", "debug", "warn", "error"}) + R"(","service":")" +
                        one_of({"orders", "auth", "billing", "mailer"}) + R"(","trace_id":")" + hex(32) + R"(","span_id":")" + hex(16) + R"(","msg":")" +
                        one_of({"request finished", "user logged in", "password changed", "invalid password", "token refreshed", "token expired",
                                "api key rotated", "secret version 3 loaded", "session created", "credentials checked in 12 ms", "password policy applied",
                                "login failed: wrong password", "cache miss", "reset mail queued", "pin verified", "card declined"}) +
                        R"(","user":")" + user() + R"(","user_id":)" + number(999999) + R"(,"request_id":")" + uuid() + R"(","duration_ms":)" + number(3000) + "." + digits(3);
      if (random(2) == 0) out += R"(,"etag":"W/\")" + hex(16) + R"(\"","session_id":")" + uuid() + R"(","key_id":")" + hex(16) + R"(","token_type":"Bearer")";
      if (random(3) == 0) out += R"(,"password":")" + std::string(one_of({"***", "[REDACTED]", "********", "<redacted>", "[FILTERED]", ""})) + R"(","csrf_token_present":true)";
      if (random(3) == 0) out += R"(,"client":{"ip":")" + ip() + R"(","agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},"auth":{"method":"password","mfa":false})";
      if (random(4) == 0) out += R"(,"order_id":)" + digits(16) + R"(,"amount":)" + number(9999) + "." + digits(2) + R"(,"card_last4":")" + digits(4) + R"(","cvv_check":"pass")";
      return out + "}";
    }
    case 1:  // combined log
      return ip() + " - " + (random(3) == 0 ? user() : "-") + " [23/Nov/2026:14:" + std::to_string(10 + random(50)) + ":07 +0100] \"" + one_of({"GET", "POST", "PUT"}) + " " + path() +
             (random(2) == 0 ? "" : std::string(std::string_view(path()).find('?') == std::string_view::npos ? "?page=" : "&page=") + number(99) + "&sort=key&v=" + hex(8)) +
             " HTTP/1.1\" " + one_of({"200", "302", "401", "404", "500"}) + " " + number(90000) + " \"https://shop.example" + path() +
             "\" \"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0.0.0 Safari/537.36\" rid=" + hex(32) + " etag=" + hex(40);
    case 2:  // pgaudit in CSV
      return time() + " UTC,\"app\",\"clinic\"," + number(30000) + ",\"" + ip() + ":" + number(60000) + "\"," + hex(8) + "." + hex(4) + "," + number(99) +
             ",\"SELECT\",2026-11-23 14:00:00 UTC,5/" + number(9999) + ",0,LOG,00000,\"AUDIT: SESSION," + number(999) + ",1,READ,SELECT,TABLE,public." +
             one_of({"patients", "users", "api_keys", "password_resets", "sessions"}) + ",\"\"" +
             one_of({"SELECT id, name, password_hash FROM users WHERE id = $1", "SELECT * FROM sessions WHERE token = $1 AND expires > now()",
                     "UPDATE users SET password = $1, changed = now() WHERE id = $2", "INSERT INTO users (id, name, password) VALUES ($1, $2, $3)",
                     "SELECT count(*) FROM api_keys WHERE api_key = ANY($1)", "DELETE FROM password_resets WHERE created_at < now() - interval '1 day'",
                     "ALTER ROLE app SET search_path = public", "SELECT u.password IS NULL FROM users u JOIN roles r ON r.id = u.role_id"}) +
             "\"\",<none>\",,,,,,,,,\"app\",\"client backend\",," + digits(18);
    case 3:  // logfmt
      return "time=" + time() + " level=" + one_of({"info", "warn"}) + " component=" + one_of({"worker", "auth", "gateway"}) + " job=" + hex(12) + " msg=\"" +
             one_of({"message delivered", "password reset requested for user", "token bucket refilled", "secret sync finished", "no api key given", "auth ok",
                     "retry after 3 attempts", "passphrase prompt skipped", "bearer token missing"}) +
             "\" took=" + number(3000) + "ms token_count=" + number(9000) + " secret_version=" + number(40) + " key_id=" + hex(16) + " auth_method=" +
             one_of({"password", "token", "oidc"}) + " password_changed_at=2026-01-01 access_token_id=" + hex(24) + " pass=" + number(20) + " fail=0 user=" + user();
    case 4:  // Kubernetes
      return "I1123 14:00:0" + number(10) + "." + digits(6) + "       1 " + one_of({"reconciler.go:", "secret_controller.go:", "token_cleaner.go:"}) + number(900) + "] \"" +
             one_of({"Reconciled", "Secret updated", "Deleting expired token", "Mounted volume", "Pulling image"}) + "\" namespace=\"" + one_of({"default", "kube-system", "shop"}) +
             "\" name=\"" + one_of({"db-credentials", "default-token-", "tls-secret", "api-key-rotation"}) + text("bcdfghjklmnpqrstvwxz2456789", 5) + "\" uid=\"" + uuid() +
             "\" resourceVersion=\"" + digits(9) + "\" image=\"registry.example/shop@sha256:" + hex(64) + "\" podTemplateHash=" + hex(10);
    case 5:  // Java
      return "14:00:00." + digits(3) + " [http-nio-8080-exec-" + number(20) + "] ERROR c.s.auth.PasswordEncoderConfig - Request " + uuid() +
             " failed\n\tat com.shop.security.TokenService.verify(TokenService.java:" + number(900) + ")\n\tat com.shop.PasswordController.reset(PasswordController.java:" + number(300) +
             ")\nCaused by: " +
             one_of({"java.lang.IllegalArgumentException: password must not be null", "org.springframework.security.authentication.BadCredentialsException: Bad credentials",
                     "io.jsonwebtoken.ExpiredJwtException: JWT expired at 2026-11-23T13:00:00Z", "java.sql.SQLException: Access denied for user 'app'@'10.0.0.7' (using password: YES)",
                     "javax.crypto.AEADBadTagException: Tag mismatch", "org.postgresql.util.PSQLException: FATAL: password authentication failed for user \"app\""});
    case 6:  // CloudTrail
      return R"({"eventVersion":"1.09","eventTime":")" + time() + R"(","eventSource":")" + one_of({"secretsmanager", "s3", "iam", "kms", "sts"}) +
             R"(.amazonaws.com","eventName":")" + one_of({"GetSecretValue", "ListBuckets", "GetLoginProfile", "Decrypt", "AssumeRole", "GetAccountPasswordPolicy", "ListAccessKeys"}) +
             R"(","awsRegion":"eu-west-1","sourceIPAddress":")" + ip() + R"(","userIdentity":{"type":"AssumedRole","principalId":"AROA)" + text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17) + ":" +
             user() + R"(","arn":"arn:aws:sts::)" + digits(12) + R"(:assumed-role/app/)" + hex(8) + R"(","accessKeyId":"ASIA)" + text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16) +
             R"("},"requestParameters":{"secretId":"arn:aws:secretsmanager:eu-west-1:)" + digits(12) + ":secret:prod/db-" + base62(6) + R"("},"responseElements":null,"requestID":")" + uuid() +
             R"(","eventID":")" + uuid() + R"(","tlsDetails":{"cipherSuite":"TLS_AES_128_GCM_SHA256"}})";
    case 7:  // syslog: logins
      return std::string("Nov 23 14:00:00 ") + host() + " " +
             one_of({"sshd[", "sudo[", "passwd[", "CRON[", "systemd-logind["}) + number(99999) + "]: " +
             one_of({"Failed password for invalid user admin from ", "Accepted publickey for deploy from ", "Connection closed by authenticating user root ",
                     "pam_unix(sshd:auth): authentication failure; rhost=", "Accepted password for anna from "}) +
             ip() + " port " + number(65000) + " ssh2: ED25519 SHA256:" + base64(43);
    case 8:  // builds
      return "#" + number(30) + " " + digits(2) + "." + digits(3) + " " +
             one_of({"resolved https://registry.npmjs.org/monkey/-/monkey-1.2.3.tgz integrity sha512-", "verifying sha256:", "cache key ", "downloading ", "checksum "}) +
             base64(86) + "== commit " + hex(40) + " in " + number(900) + "ms (" + hex(7) + ".." + hex(7) + ")";
    case 9:  // web: CSRF names, cookies without sessions, caches
      return "set-cookie: lang=de; Path=/ x-request-id: " + uuid() + " x-cache: HIT key=" + hex(32) + " traceparent: 00-" + hex(32) + "-" + hex(16) + "-01 csrf=" + one_of({"ok", "missing"}) +
             " next_page_token=" + base62(32) + " idempotency-key: " + uuid() + " content-md5: " + base64(22) + "== cf-ray: " + hex(16) + "-VIE";
    case 10:  // message brokers
      return "[2026-11-23 14:00:00," + digits(3) + "] INFO [GroupCoordinator " + number(9) + "]: Member consumer-" + number(99) + "-" + uuid() + " offset=" + digits(12) + " partition=" +
             number(99) + " key=user:" + number(99999) + ":profile sasl.mechanism=PLAIN ssl.keystore.password=" + one_of({"null", "[hidden]", "****"}) + " ssl.key.password=null token.refresh=300";
    case 11:  // metrics and numbers
      return "http_request_duration_seconds_bucket{handler=\"" + std::string(path()) + "\",le=\"0." + digits(2) + "\",pod=\"" + hex(10) + "\"} " + digits(13) + " " + digits(13) +
             " password_reset_total=" + number(9000) + " sin=0." + digits(9) + " rut_ms=" + number(90) + " tsc=" + digits(19) + " seq=" + digits(10);
    case 12:  // MySQL general log and DDL
      return time() + "\t" + number(99999) + " Query\t" +
             one_of({"CREATE TABLE users (id int, password varchar(60) NOT NULL, pin char(4))", "SHOW GRANTS FOR 'app'@'%'", "SELECT user, plugin FROM mysql.user",
                     "ALTER USER 'app'@'%' PASSWORD EXPIRE INTERVAL 90 DAY", "SELECT * FROM users WHERE password = ? LIMIT 1", "SET @@session.sql_mode = 'ANSI'",
                     "UPDATE users SET password = NULL WHERE disabled = 1", "GRANT SELECT (id, password) ON shop.users TO 'audit'@'%'", "CREATE USER 'x'@'%' IDENTIFIED BY <secret>"}) +
             " /* " + hex(16) + " */";
    default:  // commands and audit
      return "type=EXECVE msg=audit(" + digits(10) + "." + digits(3) + ":" + number(99999) + "): cwd=/home/anna cmd=\"" +
             one_of({"mysql -uroot -p shop", "psql -h db -U app", "curl -u anna https://api.internal/", "ssh -p 2222 deploy@web01", "docker run -p 8080:80 nginx", "kubectl get secret db -o yaml",
                     "openssl rsa -passin env:PW -in key.pem", "redis-cli -h cache ping", "mkdir -p /srv/app", "vault kv get secret/db", "passwd -l anna", "gpg --passphrase-fd 0 -d x.gpg",
                     "tar -xpf backup.tar", "git clone git@github.com:shop/app.git"}) +
             "\" auid=" + number(2000) + " ses=" + number(999) + " sha1=" + hex(40) + " md5=" + hex(32);
  }
}

}  // namespace tocsin::rules::secrets
