// Whatever entity, whatever is asked: a 304 says what a 200 would have said and leaves a client with the content it
// names; and what a response says it varies on decides who may get it.

#include "codec/coding.hpp"
#include "flow/rfc_fixture.hpp"
#include "http/negotiation.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace etage::flow::testing {
namespace {

int below(int end) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, end)); }
bool one_in(int n) { return below(n) == 0; }

template <class T>
const T& one_of(const std::vector<T>& all) {
    return all[static_cast<std::size_t>(below(static_cast<int>(all.size())))];
}

std::string decoded(const Reply& reply) {
    const std::string coding = reply.fields.contains("content-encoding") ? reply.fields.at("content-encoding") : "";
    if (coding.empty()) return reply.body;
    const auto format = coding == "br"     ? codec::Format::brotli
                        : coding == "zstd" ? codec::Format::zstd
                                           : codec::Format::gzip;
    return codec::decode(format, reply.body, {1 << 20, 10'000}).value_or("not decodable");
}

/// A coding that is made a second time has its letter in the tag in upper case.
std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(c));
    return text;
}

// ---- 304

/// What a client keeps of a 200.
struct Copy {
    std::string etag;
    std::string modified;
    std::string content;
};

/// An origin that knows conditions, its versions, and a client that remembers all it got.
class Validating : public RfcTest {
public:
    Validating() : text_(one_in(2)), tags_(below(3)), dated_(one_in(2)) {
        house.origin.script = [this](const Seen& seen) { return answer(seen); };
        publish();
    }
    void TestBody() override {}

    void step() {
        const int what = below(8);
        if (what == 0) publish();
        if (what == 1) house.skip(std::chrono::seconds(1 + below(90)));
        if (what == 2) house.finish_compressing();
        if (what > 2) ask();
    }

private:
    void publish() {
        ++version_;
        content_ = (text_ ? std::string(1000, 'x') : std::string()) + "version " + std::to_string(version_);
        if (version_ > 1) house.get("POST /a");  // so that what a client gets is never old
    }
    std::string tag() const {
        if (tags_ == 0) return "";
        return (tags_ == 1 ? "W/\"" : "\"") + std::to_string(version_) + "\"";
    }
    std::string modified() const { return dated_ ? date_of(1'700'000'000 + version_ * 60) : ""; }
    static std::string date_of(int when) {
        std::array<char, 29> text;
        return std::string(http::format_date(text, WallTime(std::chrono::seconds(when))));
    }

    Say answer(const Seen& seen) const {
        if (seen.method == "POST") return with_status(204);
        const std::string asked = field_of(seen, "if-none-match");
        const std::string since = field_of(seen, "if-modified-since");
        const bool same = asked.empty() ? !since.empty() && since == modified() : asked == tag();
        Say say = with_status(same ? 304 : 200, {{"Cache-Control", "max-age=60"}}, same ? "" : content_);
        const auto add = [&](const char* name, const std::string& value) {
            if (!value.empty()) say.fields.emplace_back(name, value);
        };
        add("Content-Type", text_ ? "text/plain" : "image/png");
        add("ETag", tag());
        add("Last-Modified", modified());
        add("Content-Location", "/a." + std::to_string(version_));
        add("Expires", "Thu, 01 Dec 2044 16:00:00 GMT");
        add("Vary", "X-Nobody-Sends-It");
        return say;
    }

    void ask() {
        std::vector<std::string> fields;
        const std::string codings = one_of<std::string>({"", "gzip", "br", "zstd, gzip;q=0.5", "identity;q=0, *"});
        if (!codings.empty()) fields.push_back("Accept-Encoding: " + codings);
        const std::vector<std::string> plain = fields;
        std::vector<Copy> named;
        if (!copies_.empty() && !one_in(3)) {
            named.push_back(one_of(copies_));
            if (one_in(3)) named.push_back(one_of(copies_));
            std::string list;
            for (const Copy& copy : named) list += (list.empty() ? "" : ", ") + copy.etag;
            const bool by_date = !named.front().modified.empty() && one_in(3);
            if (by_date) named.resize(1);
            fields.push_back(by_date ? "If-Modified-Since: " + named.front().modified : "If-None-Match: " + list);
        }
        const bool settled = one_in(2);  // every coding that is wanted is there
        if (settled) {
            house.get("GET /a", plain);
            house.finish_compressing();
        }
        const Reply reply = house.get("GET /a", fields);
        const Reply whole = house.get("GET /a", plain);
        RC_ASSERT(whole.status == 200);
        RC_ASSERT(decoded(whole) == content_);
        if (reply.status == 304) {
            RC_ASSERT(reply.body.empty());
            RC_ASSERT(std::ranges::any_of(named, [&](const Copy& copy) { return copy.content == content_; }));
            for (const char* name : {"cache-control", "content-location", "date", "expires", "vary", "last-modified"})
                RC_ASSERT(reply[name] == whole[name]);
            if (settled) RC_ASSERT(lower(reply["etag"]) == lower(whole["etag"]));
        } else {
            RC_ASSERT(reply.status == 200);
            RC_ASSERT(decoded(reply) == content_);
            RC_ASSERT(std::ranges::none_of(named, [&](const Copy& copy) { return copy.content == content_; }));
        }
        for (const Reply* got : {&reply, &whole})
            if (got->status == 200) copies_.push_back({(*got)["etag"], (*got)["last-modified"], decoded(*got)});
    }

    const bool text_;
    const int tags_;  // none, weak, strong
    const bool dated_;
    int version_ = 0;
    std::string content_;
    std::vector<Copy> copies_;
};

TEST(Rfc9110Property, Section15_4_5_A304SaysWhatA200WouldHaveSaid) {
    EXPECT_TRUE(rc::check([] {
        Validating world;
        const int steps = 5 + below(30);
        for (int i = 0; i < steps; ++i) world.step();
    }));
}

// ---- Vary

std::string stripped(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return "";
    return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

/// The elements of a list, as a naive reader takes them apart; nothing in these tests is quoted.
std::vector<std::string> elements(const std::string& value) {
    std::vector<std::string> all;
    std::istringstream in(value);
    for (std::string element; std::getline(in, element, ',');)
        if (!stripped(element).empty()) all.push_back(stripped(element));
    return all;
}

/// A language and its weight; "en" and "EN ; q=1.0" are the same.
std::pair<std::string, double> language(const std::string& element) {
    std::string name = stripped(element.substr(0, element.find(';')));
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    const auto q = element.find("q=");
    return {name, q == std::string::npos ? 1.0 : std::stod(element.substr(q + 2))};
}

/// RFC 9111 §4.1: absent matches absent only; lists by their elements; RFC 9110 §12.5.4: languages by weight.
bool equivalent(const std::string& name, const std::optional<std::string>& a, const std::optional<std::string>& b) {
    if (!a || !b) return !a && !b;
    if (name != "accept-language") return elements(*a) == elements(*b);
    std::multiset<std::pair<std::string, double>> left, right;
    for (const auto& element : elements(*a)) left.insert(language(element));
    for (const auto& element : elements(*b)) right.insert(language(element));
    return left == right;
}

using Request = std::map<std::string, std::string>;

Request any_request() {
    Request request;
    const auto perhaps = [&](const char* name, const std::vector<std::string>& values) {
        if (!one_in(3)) request[name] = one_of(values);
    };
    perhaps("accept-language", {"de, en", "en, de", "en,DE;q=1.0", "en;q=0.5, de", "fr"});
    perhaps("accept", {"text/html, text/plain", "text/html,text/plain", "text/plain, text/html", "*/*"});
    perhaps("x-a", {"1", "2", "1, 2", "1 ,2"});
    return request;
}

std::optional<std::string> value_of(const Request& request, const std::string& name) {
    const auto it = request.find(name);
    return it == request.end() ? std::nullopt : std::optional(it->second);
}

/// Every answer's content is the number of the request that brought it to the origin.
class Varying : public RfcTest {
public:
    Varying() : nominations_({one_of(all_), one_of(all_)}) {
        house.origin.script = [this](const Seen&) {
            brought_.push_back(asking_);
            return says({{"Cache-Control", "max-age=60"}, {"Vary", one_of(nominations_)}},
                        std::to_string(brought_.size() - 1));
        };
    }
    void TestBody() override {}

    void ask() {
        asking_ = any_request();
        std::vector<std::string> fields;
        for (const auto& [name, value] : asking_) fields.push_back(name + ": " + value);
        const Reply reply = house.get("GET /a", fields);
        RC_ASSERT(reply.status == 200);
        const Request& of = brought_.at(std::stoul(reply.body));
        for (const std::string& name : elements(reply["vary"])) {
            RC_ASSERT(name != "*" || !reply.verdict.hit);
            if (name != "*") RC_ASSERT(equivalent(name, value_of(of, name), value_of(asking_, name)));
        }
        // What these very fields found or left a moment ago is there.
        if (reply.verdict.hit || reply.verdict.stored) RC_ASSERT(house.get("GET /a", fields).body == reply.body);
    }

private:
    const std::vector<std::string> all_{"accept-language", "accept, x-a", "x-a", "accept-language, accept, x-a", "*"};
    const std::vector<std::string> nominations_;
    Request asking_;
    std::vector<Request> brought_;
};

TEST(Rfc9111Property, Section4_1_AVariantAnswersOnlyRequestsThatSelectIt) {
    EXPECT_TRUE(rc::check([] {
        Varying world;
        const int steps = 5 + below(40);
        for (int i = 0; i < steps; ++i) world.ask();
    }));
}

}  // namespace
}  // namespace etage::flow::testing
