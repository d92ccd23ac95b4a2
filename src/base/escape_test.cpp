#include "base/escape.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace etage::base {
namespace {

using namespace std::string_view_literals;

std::string json(std::string_view text) {
    std::string out;
    append_json_escaped(out, text);
    return out;
}
std::string text_value(std::string_view text) {
    std::string out;
    append_text_value(out, text);
    return out;
}

TEST(EscapeRfc8259, Section7_QuotesBackslashesAndControls) {
    EXPECT_EQ(json("plain text"), "plain text");
    EXPECT_EQ(json("say \"hi\" \\ now"), R"(say \"hi\" \\ now)");
    EXPECT_EQ(json("a\nb\rc\td"), R"(a\nb\rc\td)");
    EXPECT_EQ(json("\0\x01\x1b[31m"sv), R"(\u0000\u0001\u001b[31m)");
    EXPECT_EQ(json("\x7f"), R"(\u007f)");
}

TEST(Escape, Utf8StaysAsItIs) {
    for (const std::string_view good : {"é", "étage", "日本", "😀", "\uFFFD", "\u00A0"}) EXPECT_EQ(json(good), good);
}

TEST(Escape, ControlCharactersOfTheUpperHalfAreControls) {
    EXPECT_EQ(json("\u009b31m"), R"(\u009b31m)");
    EXPECT_EQ(text_value("\u009b31m"), R"("\u009b31m")");
    EXPECT_EQ(json("\u0080\u009f"), R"(\u0080\u009f)");
}

TEST(EscapeRfc3629, Section4_WhatIsNotUtf8IsNotPassedOn) {
    const struct {
        std::string_view bytes;
        std::size_t bad;
    } cases[] = {
        {"\x80", 1},
        {"\xbf", 1},
        {"\xc0\xaf", 2},
        {"\xc1\xbf", 2},
        {"\xc3", 1},
        {"\xe0\x80\xaf", 3},
        {"\xed\xa0\x80", 3},
        {"\xe2\x82", 2},
        {"\xf0\x80\x80\x80", 4},
        {"\xf4\x90\x80\x80", 4},
        {"\xf5\x80\x80\x80", 4},
        {"\xff\xfe", 2},
        {"\xf0\x9f\x98", 3},
    };
    for (const auto& c : cases) {
        std::string replaced;
        for (std::size_t i = 0; i < c.bad; ++i) replaced += "\\ufffd";
        EXPECT_EQ(json(c.bytes), replaced);
        EXPECT_EQ(json(std::string(c.bytes) + "x"), replaced + "x");
    }
    EXPECT_EQ(text_value("caf\xe9"), R"("caf\xe9")");
}

TEST(Escape, ValuesOfTextLinesAreQuotedOnlyWhenNeeded) {
    EXPECT_EQ(text_value("127.0.0.1:8080"), "127.0.0.1:8080");
    EXPECT_EQ(text_value("/posts?limit"), "/posts?limit");
    EXPECT_EQ(text_value(""), R"("")");
    EXPECT_EQ(text_value("no route"), R"("no route")");
    EXPECT_EQ(text_value("a=b"), R"("a=b")");
    EXPECT_EQ(text_value("a\"b"), R"("a\"b")");
    EXPECT_EQ(text_value("a\nlevel=error"), R"("a\nlevel=error")");
    EXPECT_EQ(text_value("étage"), "étage");
}

TEST(Escape, AppendsBehindWhatIsThere) {
    std::string out = "x=";
    append_text_value(out, "a b");
    EXPECT_EQ(out, R"(x="a b")");
}

TEST(Escape, NoControlByteSurvivesWhateverComesIn) {
    EXPECT_TRUE(rc::check("no raw control characters, no bare quote", [](const std::string& noise) {
        const auto harmless = [](const std::string& s) {
            return std::ranges::none_of(s, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
        };
        RC_ASSERT(harmless(json(noise)));
        RC_ASSERT(harmless(text_value(noise)));
    }));
}

TEST(Escape, EscapingIsValidUtf8WhateverComesIn) {
    EXPECT_TRUE(rc::check("what was escaped once needs no replacement again", [](const std::string& noise) {
        std::string once = json(noise);
        std::erase(once, '\\');
        std::erase(once, '"');
        RC_ASSERT(json(once) == once);
    }));
}

TEST(Escape, NothingOfATextIsMarkup) {
    std::string out = "<td>";
    append_html_escaped(out, R"(GET /<x>?a&b="c" 'é')");
    EXPECT_EQ(out, "<td>GET /&lt;x&gt;?a&amp;b=&quot;c&quot; &#39;é&#39;");
}

}  // namespace
}  // namespace etage::base
