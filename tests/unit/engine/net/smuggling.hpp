// Requests that two readers may read differently (reliability.md section 8.2, and more). Each must end in 400 and a
// closed connection, and nothing behind it may be taken for a request.
#pragma once

#include <string>
#include <vector>

namespace tocsin::engine::test {

struct Smuggled {
  const char* name;
  std::string bytes;
};

inline std::vector<Smuggled> smuggled_requests() {
  const std::string line = "POST /v1/events HTTP/1.1\r\n";
  const std::string p = line + "Host: a\r\n";
  const std::string c = "5\r\nhello\r\n0\r\n\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string five = "Content-Length: 5\r\n";
  using namespace std::string_literals;
  return {
      {"TE gzip, then CL", p + "Transfer-Encoding: gzip\r\n" + five + "\r\nhello"},
      {"TE chunked, identity", p + "Transfer-Encoding: chunked, identity\r\n\r\n" + c},
      {"TE identity, chunked", p + "Transfer-Encoding: identity, chunked\r\n\r\n" + c},
      {"TE xchunked", p + "Transfer-Encoding: xchunked\r\n\r\n" + c},
      {"equal CL twice", p + five + five + "\r\nhello"},
      {"obs-fold", p + "X-A: b\r\n c\r\n" + five + "\r\nhello"},
      {"two Host fields", p + "Host: b\r\n" + five + "\r\nhello"},
      {"no Host", line + five + "\r\nhello"},
      {"CL, then TE chunked", p + five + chunked + "\r\n" + c},
      {"CL, then TE gzip", p + five + "Transfer-Encoding: gzip\r\n\r\nhello"},
      {"TE chunked, then CL", p + chunked + five + "\r\n" + c},
      {"differing CL", p + five + "Content-Length: 6\r\n\r\nhello!"},
      {"signed CL", p + "Content-Length: +5\r\n\r\nhello"},
      {"blank before colon", p + "Content-Length : 5\r\n\r\nhello"},
      {"bare LF line ends", "POST /v1/events HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello"},
      {"NUL in a value", p + "X-A: a\0b\r\n"s + five + "\r\nhello"},
      {"0x chunk size", p + chunked + "\r\n0x5\r\nhello\r\n0\r\n\r\n"},
      {"17-digit chunk size", p + chunked + "\r\n10000000000000005\r\nhello\r\n0\r\n\r\n"},
      {"negative chunk size", p + chunked + "\r\n-5\r\nhello\r\n0\r\n\r\n"},
      // Beyond the nineteen.
      {"CL list", p + "Content-Length: 5, 5\r\n\r\nhello"},
      {"HTTP/1.0 with TE", "POST /v1/events HTTP/1.0\r\nHost: a\r\n" + chunked + "\r\n" + c},
      {"zero-padded 17-digit chunk size", p + chunked + "\r\n00000000000000005\r\nhello\r\n0\r\n\r\n"},
      {"bare CR in a value", p + "X-A: a\rb\r\n" + five + "\r\nhello"},
      {"bare LF after a chunk size", p + chunked + "\r\n5\nhello\r\n0\r\n\r\n"},
      {"TE twice", p + chunked + chunked + "\r\n" + c},
      {"TE Chunked in capitals", p + "Transfer-Encoding: Chunked\r\n\r\n" + c},
      {"TE with a tab before the value's end", p + "Transfer-Encoding: chunked\v\r\n\r\n" + c},
      {"empty CL", p + "Content-Length:\r\n\r\nhello"},
      {"20-digit CL", p + "Content-Length: 00000000000000000005\r\n\r\nhello"},
      {"hexadecimal CL", p + "Content-Length: 0x5\r\n\r\nhello"},
      {"CL with inner blank", p + "Content-Length: 5 5\r\n\r\nhello"},
      {"tab before colon", p + "Content-Length\t: 5\r\n\r\nhello"},
      {"field line first is folded", line + " Host: a\r\n" + five + "\r\nhello"},
      {"field without name", p + ": x\r\n" + five + "\r\nhello"},
      {"field without colon", p + "GET / HTTP/1.1\r\n" + five + "\r\nhello"},
      {"chunk extension", p + chunked + "\r\n5;a=b\r\nhello\r\n0\r\n\r\n"},
      {"trailer", p + chunked + "\r\n5\r\nhello\r\n0\r\nX-A: b\r\n\r\n"},
      {"chunk longer than its size", p + chunked + "\r\n5\r\nhello!\r\n0\r\n\r\n"},
      {"chunk size with blank", p + chunked + "\r\n5 \r\nhello\r\n0\r\n\r\n"},
      {"empty chunk size", p + chunked + "\r\n\r\nhello\r\n0\r\n\r\n"},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"HTTP/1.2", "POST /v1/events HTTP/1.2\r\nHost: a\r\n" + five + "\r\nhello"},
      {"HTTP/0.9", "GET /v1/events\r\n\r\n"},
      {"absolute address", "POST http://b/v1/events HTTP/1.1\r\nHost: a\r\n" + five + "\r\nhello"},
      {"two blanks in the request line", "POST  /v1/events HTTP/1.1\r\nHost: a\r\n" + five + "\r\nhello"},
      {"blank at the request line's end", "POST /v1/events HTTP/1.1 \r\nHost: a\r\n" + five + "\r\nhello"},
      {"method in small letters", "post /v1/events HTTP/1.1\r\nHost: a\r\n" + five + "\r\nhello"},
      {"empty line first", "\r\n" + p + five + "\r\nhello"},
      {"Host with a path", line + "Host: a/b\r\n" + five + "\r\nhello"},
      {"empty Host", line + "Host:\r\n" + five + "\r\nhello"},
      {"two Authorization fields", p + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n" + five + "\r\nhello"},
  };
}

}  // namespace tocsin::engine::test
