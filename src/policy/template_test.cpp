#include "policy/template.hpp"

#include "policy/test_messages.hpp"

#include <array>

namespace etage::policy {
namespace {

const std::vector<std::string> names = {"id", "comment"};

Template compile(std::string_view text) {
    auto compiled = Template::compile(text, names);
    EXPECT_TRUE(compiled.has_value()) << compiled.error().what;
    return compiled ? std::move(*compiled) : Template();
}

std::string complaint(std::string_view text, std::span<const std::string> captures = names) {
    const auto compiled = Template::compile(text, captures);
    return compiled ? "" : compiled.error().what;
}

/// "-" when there is no tag.
std::string expand(std::string_view text, std::string_view query = {}, FieldPairs fields = {}) {
    constexpr std::array<std::string_view, 2> captures = {"7", "caf%C3%A9+x"};
    const auto list = fields_of(fields);
    std::string out;
    return compile(text).expand(out, {names, captures, query, list.span()}) ? out : "-" + out;
}

TEST(Template, TextStandsForItself) {
    EXPECT_EQ(expand("posts"), "posts");
    EXPECT_EQ(compile("posts:{path.id}").text(), "posts:{path.id}");
}

TEST(Template, DrawsFromPathQueryAndHeader) {
    EXPECT_EQ(expand("post:{path.id}"), "post:7");
    EXPECT_EQ(expand("cat:{query.category}!", "x=1&category=news"), "cat:news!");
    EXPECT_EQ(expand("lang:{header.Accept-Language}", "", {{"accept-language", "de"}}), "lang:de");
    EXPECT_EQ(expand("{path.id}{query.a}", "a=b"), "7b");
}

TEST(Template, ValuesArePercentDecoded) {
    EXPECT_EQ(expand("{path.comment}"), "café+x");  // '+' is a space in queries only
    EXPECT_EQ(expand("{query.q}", "q=a+b%26c"), "a b&c");
    EXPECT_EQ(expand("{query.q}", "%71=1"), "1");  // so are names
}

TEST(Template, AbsentOrEmptyValuesMakeNoTag) {
    EXPECT_EQ(expand("c:{query.category}"), "-");
    EXPECT_EQ(expand("c:{query.category}", "category="), "-");
    EXPECT_EQ(expand("c:{query.category}", "category"), "-");
    EXPECT_EQ(expand("c:{header.X}", "", {{"X", ""}}), "-");
    EXPECT_EQ(expand("c:{query.category}", "category=%zz"), "-");
}

TEST(Template, TheFirstOfSeveralCounts) {
    EXPECT_EQ(expand("{query.a}", "a=1&a=2"), "1");
    EXPECT_EQ(expand("{query.a}", "a=&a=2"), "-");
    EXPECT_EQ(expand("{header.X}", "", {{"X", "1"}, {"X", "2"}}), "1");
}

TEST(Template, NothingIsAppendedWhenThereIsNoTag) {
    std::string out = "before";
    EXPECT_FALSE(compile("a{path.id}b{query.x}").expand(out, {names, {}, "", {}}));
    EXPECT_EQ(out, "before");
}

TEST(Template, DoubleBraceIsALiteralBrace) {
    EXPECT_EQ(expand("a{{b}"), "a{b}");
    EXPECT_EQ(expand("{{{path.id}"), "{7");
}

TEST(Template, ErrorsSayWhatToWrite) {
    EXPECT_NE(complaint("{path.idd}").find("did you mean {path.id}?"), std::string::npos);
    EXPECT_NE(complaint("{path.zzzzzz}").find("it has {path.id} {path.comment}"), std::string::npos);
    EXPECT_NE(complaint("{path.id}", {}).find("/posts/{id}"), std::string::npos);
    EXPECT_NE(complaint("{id}").find("none of {path.name}"), std::string::npos);
    EXPECT_NE(complaint("{query.}").find("none of"), std::string::npos);
    EXPECT_NE(complaint("{cookie.x}").find("none of"), std::string::npos);
    EXPECT_NE(complaint("{}").find("none of"), std::string::npos);
    EXPECT_NE(complaint("{header.a b}").find("cannot be the name"), std::string::npos);
    EXPECT_NE(complaint("a{path.id").find("not closed"), std::string::npos);
    EXPECT_NE(complaint("").find("empty"), std::string::npos);
}

}  // namespace
}  // namespace etage::policy
