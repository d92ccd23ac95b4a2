#include "http/no_vary_search.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace etage::http {
namespace {

using Names = std::vector<std::string>;

SearchVariance ignoring(Names names, bool ignores_order = false) { return {ignores_order, false, std::move(names)}; }
SearchVariance only(Names names, bool ignores_order = false) { return {ignores_order, true, std::move(names)}; }

std::string class_of(std::string_view query, const SearchVariance& variance) {
    std::string out;
    append_search_class(out, query, variance);
    return out;
}

bool equivalent(std::string_view a, std::string_view b, const SearchVariance& variance) {
    return class_of(a, variance) == class_of(b, variance);
}

TEST(NoVarySearchDraft10, Section5_2_WhatIsValid) {
    const auto read = [](std::string_view text) { return parse_no_vary_search(text); };
    EXPECT_EQ(read("key-order"), ignoring({}, true));
    EXPECT_EQ(read("key-order=?1"), ignoring({}, true));
    EXPECT_EQ(read("params=(\"a\")"), ignoring({"a"}));
    EXPECT_EQ(read("params=(\"b\" \"a\" \"b\")"), ignoring({"a", "b"}));
    EXPECT_EQ(read("except=(\"x\")"), only({"x"}));
    EXPECT_EQ(read("except=()"), only({}));
    EXPECT_EQ(read("except=(\"x\"), key-order"), only({"x"}, true));
    EXPECT_EQ(read("params=(\"a\";p=1);q, key-order;r"), ignoring({"a"}, true)) << "parameters mean nothing";
    EXPECT_EQ(read("params=(\"a\\\"\\\\\")"), ignoring({"a\"\\"}));
    for (const char* text : {"params=()", "key-order=?0", "unknown-key", ""}) {
        ASSERT_TRUE(read(text)) << text;
        EXPECT_TRUE(read(text)->is_default()) << text;
    }
    EXPECT_EQ(read("unknown=1, key-order"), ignoring({}, true)) << "§3: other keys are ignored";
    EXPECT_EQ(read("params=?1, params=(\"a\")"), ignoring({"a"})) << "RFC 9651: of equal keys the last counts";
}

TEST(NoVarySearchDraft10, Section5_2_WhatIsInvalid) {
    for (const char* text : {"key-order=\"not a boolean\"",
                             "key-order=1",
                             "key-order=()",
                             "params=\"not an inner list\"",
                             "params=a",
                             "params=(not-a-string)",
                             "params=(\"a\" b)",
                             "params=(\"a\" 1)",
                             "params=?0",
                             "params=?0, except=(\"x\")",
                             "params=(\"a\"), except=(\"x\")",
                             "params=(), except=()",
                             "except=\"not an inner list\"",
                             "except=(not-a-string)",
                             "except=?1",
                             "except",
                             "params=(\"a\"",
                             "params=(\"a\",\"b\")",
                             "params=\"a\" \"b\"",
                             "KEY-ORDER",
                             "key-order,",
                             "params, except=(x)",
                             "params, except=?1"})
        EXPECT_FALSE(parse_no_vary_search(text)) << text;
}

TEST(NoVarySearch, WhatItWasCalledUntilDraft05IsTakenToo) {
    EXPECT_EQ(parse_no_vary_search("params"), only({}));
    EXPECT_EQ(parse_no_vary_search("params=?1"), only({}));
    EXPECT_EQ(parse_no_vary_search("params, except=(\"x\")"), only({"x"}));
    EXPECT_EQ(parse_no_vary_search("key-order, params, except=(\"y\" \"x\")"), only({"x", "y"}, true));
}

TEST(NoVarySearchDraft10, Section5_2_LinesAreJoinedAndInvalidIsTheDefault) {
    Fields fields;
    EXPECT_TRUE(search_variance(fields).is_default());
    fields.add("No-Vary-Search", "key-order");
    fields.add("no-vary-search", "params=(\"a\")");
    EXPECT_EQ(search_variance(fields), ignoring({"a"}, true));
    fields.add("No-Vary-Search", "params=1");
    EXPECT_TRUE(search_variance(fields).is_default());
}

TEST(NoVarySearchDraft10, Section5_3_NamesAreDecoded) {
    EXPECT_EQ(parse_no_vary_search("params=(\"%C3%A9+%E6%B0%97\")"), ignoring({"é 気"}));
    const auto variance = ignoring({"é 気"});
    for (const char* query : {"é 気=1", "é+気=2", "%C3%A9%20気=3", "%C3%A9+%E6%B0%97=4"})
        EXPECT_TRUE(equivalent(query, "", variance)) << query;
}

TEST(NoVarySearchDraft10, Section6_Examples) {
    const auto variance = ignoring({}, true);
    const std::pair<const char*, const char*> pairs[] = {
        {"a=x", "%61=%78"}, {"a=é", "a=%C3%A9"}, {"a=%f6", "a=%ef%bf%bd"}, {"a=x&&&&", "a=x"},
        {"a=", "a"},        {"a=%20", "a= &"},   {"a=+", "a= &"},          {"a=1&b=2", "b=2&a=1"},
        {"", "&"},          {"=", "=&"},         {"a=b=c", "a=b%3Dc"}};
    for (const auto& [a, b] : pairs) EXPECT_TRUE(equivalent(a, b, variance)) << a << " | " << b;
    const std::pair<const char*, const char*> others[] = {
        {"a=%C3%A9", "a=e%CC%81"}, {"a=1&a=2", "a=2&a=1"},   {"a=1", "A=1"}, {"a=1", "a=1&a=1"},
        {"a=%", "a=%25%25"},       {"a=1&b=2", "a=1%26b=2"}, {"", "="}};
    for (const auto& [a, b] : others) EXPECT_FALSE(equivalent(a, b, variance)) << a << " | " << b;
}

TEST(NoVarySearchDraft10, Section6_ParametersThatCount) {
    EXPECT_TRUE(equivalent("id=1&utm=a", "utm=b&id=1", ignoring({"utm"})));
    EXPECT_TRUE(equivalent("id=1", "id=1&utm", ignoring({"utm"})));
    EXPECT_FALSE(equivalent("id=1", "id=2", ignoring({"utm"})));
    EXPECT_FALSE(equivalent("a=1&b=2", "b=2&a=1", ignoring({"utm"}))) << "the order counts";
    EXPECT_TRUE(equivalent("id=1&a=2&b=3", "c=4&id=1", only({"id"})));
    EXPECT_FALSE(equivalent("id=1", "id=2", only({"id"})));
    EXPECT_TRUE(equivalent("a=1", "b=2", only({})));
}

TEST(NoVarySearch, VariancesAreToldApart) {
    EXPECT_NE(class_of("a=1", ignoring({"b"})), class_of("a=1", ignoring({"c"})));
    EXPECT_NE(class_of("a=1", ignoring({"b"})), class_of("a=1", only({"a"})));
    EXPECT_NE(class_of("a=1", ignoring({"b"})), class_of("a=1", ignoring({"b"}, true)));
}

TEST(FormDecodeWhatwgEncoding, Section8_1_1_MaximalSubparts) {
    const std::pair<const char*, const char*> cases[] = {
        {"plain", "plain"},
        {"%", "%"},
        {"%2", "%2"},
        {"%zz%41", "%zzA"},
        {"%2B+", "+ "},
        {"%F0%9F%8D%A3", "🍣"},
        {"%EF%BB%BFa",
         "\xEF\xBB\xBF"
         "a"},  // a BOM stays
        {"%C0%AF", "��"},
        {"%E0%80%80", "���"},
        {"%ED%A0%80", "���"},
        {"%F4%90%80%80", "����"},
        {"%F0%9F%8D", "�"},
        {"%F0%9F%8Dx", "�x"},
        {"%E6%B0%E6%B0%97", "�気"},
        {"%80", "�"},
        {"%ff%C3%A9", "�é"},
    };
    for (const auto& [raw, decoded] : cases) EXPECT_EQ(form_decode(raw), decoded) << raw;
}

// ---- against the algorithm of §6, step by step

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct NaiveConfig {
    bool wildcard_no_vary = false;
    Names no_vary, vary;
    bool vary_on_key_order = true;
};

Pairs urlencoded(std::string query) {
    Pairs out;
    query += '&';
    for (std::string::size_type at; (at = query.find('&')) != std::string::npos; query.erase(0, at + 1)) {
        const std::string bytes = query.substr(0, at);
        if (bytes.empty()) continue;
        const auto equals = bytes.find('=');
        const std::string value = equals == std::string::npos ? "" : bytes.substr(equals + 1);
        out.emplace_back(form_decode(bytes.substr(0, equals)), form_decode(value));
    }
    return out;
}

bool equivalent_modulo(const std::string& a, const std::string& b, const NaiveConfig& config) {
    Pairs params_a = urlencoded(a), params_b = urlencoded(b);
    const auto has = [](const Names& list, const std::string& name) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    for (Pairs* params : {&params_a, &params_b}) {
        Pairs kept;
        for (const auto& pair : *params) {
            const bool keep = config.wildcard_no_vary ? has(config.vary, pair.first) : !has(config.no_vary, pair.first);
            if (keep) kept.push_back(pair);
        }
        if (!config.vary_on_key_order)
            std::stable_sort(kept.begin(), kept.end(), [](auto& x, auto& y) { return x.first < y.first; });
        *params = kept;
    }
    return params_a == params_b;
}

rc::Gen<std::string> any_query() {
    const auto piece = rc::gen::elementOf(std::vector<std::string>{
        "a", "b", "%61", "%62", "é", "%C3%A9", "%f6", "%ef%bf%bd", "+", "%20", "%", "%zz", "=", "=", "&", "&", "1"});
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                        [](const std::vector<std::string>& pieces) {
                            std::string out;
                            for (const std::string& each : pieces) out += each;
                            return out;
                        });
}

RC_GTEST_PROP(NoVarySearchDraft10, Section6_ClassesAreTheAlgorithm, ()) {
    const auto names = *rc::gen::container<Names>(rc::gen::element<std::string>("a", "b", "é", " ", "1"));
    NaiveConfig config;
    config.vary_on_key_order = *rc::gen::arbitrary<bool>();
    config.wildcard_no_vary = *rc::gen::arbitrary<bool>();
    (config.wildcard_no_vary ? config.vary : config.no_vary) = names;
    std::string text = config.vary_on_key_order ? "" : "key-order, ";
    text += config.wildcard_no_vary ? "except=(" : "params=(";
    for (const std::string& name : names) ((text += '"') += name == "é" ? "%C3%A9" : name) += "\" ";
    const auto variance = parse_no_vary_search(text + ")");
    RC_ASSERT(variance.has_value());
    RC_PRE(!variance->is_default());

    const std::string a = *any_query();
    const bool related = *rc::gen::arbitrary<bool>();
    const std::string b = related ? *any_query() + "&" + a : *any_query();
    RC_ASSERT(equivalent(a, a, *variance));
    RC_ASSERT(equivalent(a, b, *variance) == equivalent(b, a, *variance));
    RC_ASSERT(equivalent(a, b, *variance) == equivalent_modulo(a, b, config));
}

}  // namespace
}  // namespace etage::http
