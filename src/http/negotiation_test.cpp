#include "http/negotiation.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace etage::http {
namespace {

const CodingSet none;
const CodingSet gzip_only = CodingSet().with(Coding::identity).with(Coding::gzip);
const CodingSet all = gzip_only.with(Coding::br).with(Coding::zstd);

Fields lines(const std::vector<std::string>& values) {
    Fields out;
    for (const std::string& value : values) out.add(FieldId::accept_encoding, value);
    return out;
}

/// The name of the chosen coding; "406" when nothing is acceptable.
std::string choose(const std::vector<std::string>& values, CodingSet available = all) {
    const CodingChoice choice = choose_coding(lines(values), available);
    return choice.acceptable ? std::string(coding_name(choice.coding)) : "406";
}

TEST(CodingTest, NamesGoBothWaysWithoutCase) {
    for (const Coding coding : codings_by_size) {
        Coding found{};
        EXPECT_TRUE(coding_of(coding_name(coding), found));
        EXPECT_EQ(found, coding);
    }
    Coding found{};
    EXPECT_TRUE(coding_of("GZip", found));
    EXPECT_EQ(found, Coding::gzip);
    for (const char* name : {"", "*", "deflate", "compress", "gzi", "gzipp", "x-br", "brotli"})
        EXPECT_FALSE(coding_of(name, found)) << name;
}

TEST(CodingRfc9110, Section8_4_1_3_XGzipIsGzip) {
    Coding found{};
    EXPECT_TRUE(coding_of("X-GZIP", found));
    EXPECT_EQ(found, Coding::gzip);
    EXPECT_EQ(choose({"x-gzip"}), "gzip");
}

TEST(NegotiationRfc9110, Section12_5_3_WithoutTheFieldIdentity) {
    EXPECT_EQ(choose({}), "identity");
    EXPECT_EQ(choose({""}), "identity");
    EXPECT_EQ(choose({" , ,"}), "identity");
}

TEST(NegotiationRfc9110, Section12_5_3_TheHighestWeightThenTheSmallestResult) {
    EXPECT_EQ(choose({"gzip"}), "gzip");
    EXPECT_EQ(choose({"gzip, deflate, br, zstd"}), "zstd");
    EXPECT_EQ(choose({"gzip, deflate, br"}), "br");
    EXPECT_EQ(choose({"gzip", "br"}), "br");
    EXPECT_EQ(choose({"gzip, deflate, br, zstd"}, gzip_only), "gzip");
    EXPECT_EQ(choose({"br;q=1, gzip;q=0.1"}), "br");
    EXPECT_EQ(choose({"br;q=0.1, gzip;q=1"}), "gzip");
    EXPECT_EQ(choose({"br;q=1, gzip;q=0.1"}, gzip_only), "gzip");
    EXPECT_EQ(choose({"gzip;q=0.998, br;q=0.999, zstd;q=0.997"}), "br");
    EXPECT_EQ(choose({"GZIP"}), "gzip");
    EXPECT_EQ(choose({"gzip;q=0.001"}), "gzip");
    EXPECT_EQ(choose({"gzip"}, none), "identity");
    EXPECT_EQ(choose({"deflate"}), "identity");
}

TEST(NegotiationRfc9110, Section12_5_3_IdentityIsWeighedWhenListed) {
    EXPECT_EQ(choose({"identity"}), "identity");
    EXPECT_EQ(choose({"identity, gzip;q=0.5"}), "identity");
    EXPECT_EQ(choose({"identity;q=0.5, gzip"}), "gzip");
    EXPECT_EQ(choose({"identity, gzip"}), "gzip");
    EXPECT_EQ(choose({"identity;q=0.5, gzip;q=0.4"}), "identity");
}

TEST(NegotiationRfc9110, Section12_5_3_ZeroIsNotAcceptable) {
    EXPECT_EQ(choose({"gzip;q=0"}, gzip_only), "identity");
    EXPECT_EQ(choose({"gzip;q=0, br;q=0, *"}), "zstd");
    EXPECT_EQ(choose({"identity;q=0"}), "406");
    EXPECT_EQ(choose({"identity;q=0, gzip"}), "gzip");
    EXPECT_EQ(choose({"identity;q=0, gzip"}, none), "406");
    EXPECT_EQ(choose({"identity;q=0, *;q=0"}), "406");
    EXPECT_EQ(choose({"*;q=0"}), "406");
    EXPECT_EQ(choose({"gzip, *;q=0"}, none), "406");
    EXPECT_EQ(choose({"identity;q=0.001, *;q=0"}), "identity");
    EXPECT_EQ(choose({"*;q=0, gzip"}), "gzip");
    EXPECT_EQ(choose({"identity;q=0, *"}), "zstd");
}

TEST(NegotiationRfc9110, Section12_5_3_TheStarIsWhatIsNotListed) {
    EXPECT_EQ(choose({"*"}), "zstd");
    EXPECT_EQ(choose({"*"}, gzip_only), "gzip");
    EXPECT_EQ(choose({"*"}, none), "identity");
    EXPECT_EQ(choose({"br;q=0.3, *;q=0.5"}), "zstd");
    EXPECT_EQ(choose({"gzip;q=0.3, *;q=0.5"}, gzip_only), "identity");
    EXPECT_EQ(choose({"zstd;q=0, *;q=0.1"}), "br");
}

TEST(NegotiationRfc9110, Section12_5_3_WhatIsTaken) {
    EXPECT_TRUE(accepts({}, Coding::gzip));  // no field: any coding
    EXPECT_TRUE(accepts({}, Coding::identity));
    const auto takes = [](const char* value, Coding coding) { return accepts(lines({value}), coding); };
    EXPECT_TRUE(takes("gzip", Coding::gzip));
    EXPECT_TRUE(takes("x-gzip;q=0.1", Coding::gzip));
    EXPECT_TRUE(takes("*", Coding::zstd));
    EXPECT_TRUE(takes("gzip", Coding::identity));
    EXPECT_FALSE(takes("", Coding::gzip));
    EXPECT_FALSE(takes("identity", Coding::gzip));
    EXPECT_FALSE(takes("br", Coding::gzip));
    EXPECT_FALSE(takes("gzip;q=0, *", Coding::gzip));
    EXPECT_FALSE(takes("identity;q=0, gzip", Coding::identity));
    EXPECT_FALSE(takes("*;q=0", Coding::identity));
}

TEST(NegotiationRfc9110, Section12_4_2_Weights) {
    for (const char* q : {"1", "1.", "1.0", "1.00", "1.000", "0.001", "0.5", "0.50", "0.999"}) {
        EXPECT_EQ(choose({std::string("gzip;q=") + q}), "gzip") << q;
        EXPECT_EQ(choose({std::string("gzip ; \tQ=") + q + " "}), "gzip") << q;
    }
    for (const char* q : {"0", "0.", "0.0", "0.00", "0.000"})
        EXPECT_EQ(choose({std::string("gzip, br;q=") + q}), "gzip") << q;
    EXPECT_EQ(coding_weights(lines({"gzip;q=0.123"})).of(Coding::gzip), 123);
    EXPECT_EQ(coding_weights(lines({"gzip;q=0.5"})).of(Coding::gzip), 500);
    EXPECT_EQ(coding_weights(lines({"gzip"})).of(Coding::gzip), 1000);
}

TEST(NegotiationRfc9110, Section12_4_2_MalformedElementsAreSkipped) {
    for (const char* element :
         {"gzip;q=",    "gzip;q=x",  "gzip;q=2",    "gzip;q=1.001",   "gzip;q=1.1",   "gzip;q=0.1234", "gzip;q=0.0000",
          "gzip;q=-1",  "gzip;q=.5", "gzip;q=00.5", "gzip;q=0,5",     "gzip;q",       "gzip;",         "gzip;;q=1",
          "gzip; q =1", "gzip;q= 1", "gzip;x=1",    "gzip;q=0.5;q=1", "gzip;q=\"1\"", "gzip q=1",      "gz ip",
          "gzip/1",     ";q=1",      "q=1",         "gzip;q=1e0",     "gzip;q=+1"}) {
        EXPECT_EQ(choose({element}), "identity") << element;
        EXPECT_EQ(choose({std::string(element) + ", br"}), "br") << element;
    }
    EXPECT_EQ(choose({"gzip, deflate, br, zstd, ,,;q=x"}), "zstd");
    EXPECT_EQ(choose({"identity;q=x"}), "identity");
}

TEST(NegotiationTest, OfRepeatedCodingsTheLowestWeightCounts) {
    EXPECT_EQ(choose({"gzip, gzip;q=0"}), "identity");
    EXPECT_EQ(choose({"gzip;q=0", "x-gzip"}), "identity");
    EXPECT_EQ(choose({"identity;q=0, identity"}), "406");
    EXPECT_EQ(choose({"*, *;q=0"}), "406");
}

/// What a client might say of one coding.
struct Said {
    std::string name;
    int thousandths = 0;
};

std::string text_of(const Said& said) {
    const std::string digits = std::to_string(1000 + said.thousandths).substr(1);
    return said.name + ";q=" + (said.thousandths == 1000 ? "1.000" : "0." + digits);
}

std::vector<Said> arbitrary_codings() {
    const auto one = rc::gen::construct<Said>(
        rc::gen::element<std::string>("gzip", "x-gzip", "br", "zstd", "identity", "*", "deflate"),
        rc::gen::oneOf(rc::gen::just(0), rc::gen::inRange(0, 1001)));
    return *rc::gen::container<std::vector<Said>>(one);
}

TEST(NegotiationProperty, NeverChoosesWhatHasWeightZero) {
    ASSERT_TRUE(rc::check([] {
        const auto said = arbitrary_codings();
        std::vector<std::string> values;
        for (const Said& s : said) values.push_back(text_of(s));
        const CodingChoice choice = choose_coding(lines(values), all);
        if (!choice.acceptable) return;
        bool star_refused = false;
        bool listed = false;
        for (const Said& s : said) {
            Coding coding{};
            star_refused = star_refused || (s.name == "*" && s.thousandths == 0);
            if (!coding_of(s.name, coding) || coding != choice.coding) continue;
            listed = true;
            RC_ASSERT(s.thousandths > 0);
        }
        RC_ASSERT(listed || !star_refused);
    }));
}

TEST(NegotiationProperty, ChoosesAmongTheAvailableAndNothingWeighsMore) {
    ASSERT_TRUE(rc::check([] {
        std::vector<std::string> values;
        for (const Said& s : arbitrary_codings()) values.push_back(text_of(s));
        CodingSet available;
        for (const Coding coding : codings_by_size)
            if (*rc::gen::arbitrary<bool>()) available = available.with(coding);
        const Fields request = lines(values);
        const CodingChoice choice = choose_coding(request, available);
        const CodingWeights weights = coding_weights(request);
        RC_ASSERT(choice.coding == Coding::identity || available.has(choice.coding));
        for (const Coding coding : codings_by_size)
            if (available.has(coding)) RC_ASSERT(weights.of(coding) <= weights.of(choice.coding));
    }));
}

TEST(NegotiationProperty, SurvivesAnyText) {
    ASSERT_TRUE(rc::check([] {
        const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("gzipbr*,;=q.01 \t\"\\x-")));
        const CodingWeights weights = coding_weights(lines({text}));
        for (const Coding coding : codings_by_size) RC_ASSERT(weights.of(coding) <= 1000);
    }));
}

}  // namespace
}  // namespace etage::http
