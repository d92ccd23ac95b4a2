#include "redis/log_record.hpp"

#include <array>
#include <optional>
#include <utility>

namespace etage::redis {

namespace {

using flow::Invalidation;
using flow::Target;
using Kind = Target::Kind;

constexpr std::array<std::pair<Kind, std::string_view>, 7> names{{{Kind::tag, "tag"},
                                                                  {Kind::key, "key"},
                                                                  {Kind::url, "url"},
                                                                  {Kind::prefix, "prefix"},
                                                                  {Kind::host, "host"},
                                                                  {Kind::group, "group"},
                                                                  {Kind::everything, "all"}}};

std::string_view name_of(Kind kind) noexcept {
    for (const auto& [each, name] : names)
        if (each == kind) return name;
    return {};
}

std::optional<Kind> kind_of(std::string_view name) noexcept {
    for (const auto& [kind, each] : names)
        if (each == name) return kind;
    return std::nullopt;
}

class Reader {
public:
    void take(std::string_view name, std::string_view value) {
        if (const auto kind = kind_of(name)) return take_target(*kind, value);
        if (name == "soft") return take_softness(value);
        if (name == "by")
            record_.by = value;
        else if (name == "genesis" || name == "ratchet" || name == "step")
            is_mark_ = true;
        else
            doubt("there is no field \"" + std::string(name) + "\"");
    }

    LogRecord finish() {
        if (record_.what.targets.empty() && !is_mark_) doubt("it names nothing");
        if (!record_.trouble.empty()) record_.what = {{{Kind::everything, {}}}, coherence::Softness::hard};
        return std::move(record_);
    }

    void doubt(std::string why) {
        if (record_.trouble.empty()) record_.trouble = std::move(why);
    }

private:
    void take_target(Kind kind, std::string_view value) {
        auto text = flow::target_text(kind, value);
        if (!text) return doubt("\"" + std::string(value) + "\" is no " + std::string(name_of(kind)));
        const bool was_normal = *text == value || kind == Kind::host || kind == Kind::everything;
        record_.what.targets.push_back({kind, std::move(*text)});
        // Whoever wrote it may have marked it as it was written.
        if (!was_normal) record_.what.targets.push_back({kind, std::string(value)});
    }

    void take_softness(std::string_view value) {
        if (value == "1") record_.what.softness = coherence::Softness::soft;
        if (value != "1" && value != "0") doubt("soft is neither 0 nor 1");
    }

    LogRecord record_;
    bool is_mark_ = false;
};

}  // namespace

std::vector<std::string> record_fields(const Invalidation& invalidation, std::string_view by) {
    std::vector<std::string> fields;
    fields.reserve(invalidation.targets.size() * 2 + 4);
    const auto add = [&](std::string_view name, std::string_view value) {
        fields.emplace_back(name);
        fields.emplace_back(value);
    };
    if (!by.empty()) add("by", by);
    if (invalidation.softness == coherence::Softness::soft) add("soft", "1");
    for (const Target& target : invalidation.targets)
        add(name_of(target.kind), target.kind == Kind::everything ? std::string_view("1") : target.text);
    if (invalidation.targets.empty()) add("step", "1");
    return fields;
}

LogRecord read_record(std::span<const std::string_view> fields) {
    Reader reader;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) reader.take(fields[i], fields[i + 1]);
    if (fields.size() % 2 != 0) reader.doubt("a field has no value");
    return reader.finish();
}

std::vector<Invalidation> in_pieces(Invalidation invalidation, std::size_t bytes_max) {
    constexpr std::size_t around = 32;  // name and lengths of a field; a script takes 8,000 words
    std::vector<Invalidation> pieces;
    if (invalidation.targets.empty()) pieces.push_back({{}, invalidation.softness});
    std::size_t bytes = 0;
    for (Target& target : invalidation.targets) {
        const std::size_t more = target.text.size() + around;
        if (pieces.empty() || bytes + more > bytes_max) {
            pieces.push_back({{}, invalidation.softness});
            bytes = 0;
        }
        pieces.back().targets.push_back(std::move(target));
        bytes += more;
    }
    return pieces;
}

}  // namespace etage::redis
