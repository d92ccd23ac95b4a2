#include "http/problem.hpp"

#include <gtest/gtest.h>

namespace etage::http {
namespace {

std::string quoted(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

TEST(ProblemRfc9457, Section4_2_1_NoTypeIsAboutBlank) {
    EXPECT_EQ(problem_json(404, "", "Not Found", "no such page"),
              "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"no such page\"}\n");
}

TEST(ProblemRfc9457, Section3_1_1_TypesOfOursAreUrns) {
    EXPECT_EQ(problem_json(429, "rate-limited", "Too Many Requests", ""),
              "{\"type\":\"urn:etage:problem:rate-limited\",\"title\":\"Too Many Requests\",\"status\":429}\n");
}

TEST(ProblemRfc9457, Section3_1_1_AWholeUriIsTakenAsItIs) {
    EXPECT_NE(problem_json(429, "https://iana.org/assignments/http-problem-types#quota-exceeded", "x", "")
                  .find("\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\""),
              std::string::npos);
}

TEST(ProblemRfc9457, Section4_2_1_AnEmptyTitleIsTheReasonPhrase) {
    EXPECT_NE(problem_json(503, "", "", "").find("\"title\":\"Service Unavailable\""), std::string::npos);
}

TEST(JsonStringRfc8259, Section7_QuotesBackslashesAndControlsAreEscaped) {
    EXPECT_EQ(quoted("a\"b\\c\n\r\t"), R"("a\"b\\c\n\r\t")");
    EXPECT_EQ(quoted(std::string_view("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\\u007f\"");
    EXPECT_EQ(quoted(""), "\"\"");
}

TEST(JsonStringRfc8259, Section8_1_Utf8PassesAndOtherBytesAreReplaced) {
    EXPECT_EQ(quoted("é€😀"), "\"é€😀\"");
    const std::string r = "\xEF\xBF\xBD";
    EXPECT_EQ(quoted("\xff"), "\"" + r + "\"");
    EXPECT_EQ(quoted("\xC3"), "\"" + r + "\"");                          // cut short
    EXPECT_EQ(quoted("\xC0\x80"), "\"" + r + r + "\"");                  // overlong NUL
    EXPECT_EQ(quoted("\xE0\x80\xAF"), "\"" + r + r + r + "\"");          // overlong slash
    EXPECT_EQ(quoted("\xED\xA0\x80"), "\"" + r + r + r + "\"");          // surrogate
    EXPECT_EQ(quoted("\xF4\x90\x80\x80"), "\"" + r + r + r + r + "\"");  // beyond U+10FFFF
    EXPECT_EQ(quoted("\xF0\x9F\x98"), "\"" + r + r + r + "\"");
    EXPECT_EQ(quoted("\xE9t"), "\"" + r + "t\"");  // Latin-1
}

}  // namespace
}  // namespace etage::http
