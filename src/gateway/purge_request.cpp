#include "gateway/purge_request.hpp"

#include "gateway/config_read.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <optional>

namespace etage::gateway {
namespace {

using nlohmann::json;
using Complaint = std::optional<std::string>;

struct Named {
    std::string_view member;
    std::vector<std::string> PurgeRequest::* list;
};
constexpr Named lists[] = {
    {"tags", &PurgeRequest::tags},         {"keys", &PurgeRequest::keys},   {"urls", &PurgeRequest::urls},
    {"prefixes", &PurgeRequest::prefixes}, {"hosts", &PurgeRequest::hosts},
};
constexpr std::array<std::string_view, 8> members = {"tags",  "keys", "urls", "prefixes",
                                                     "hosts", "all",  "soft", "wait"};

std::string in_quotes(std::string_view name) { return "\"" + std::string(name) + "\""; }

Complaint read_list(const json& value, std::string_view name, std::vector<std::string>& out) {
    if (!value.is_array()) return in_quotes(name) + " is a list of strings, like [\"posts\"]";
    for (const json& element : value) {
        if (!element.is_string()) return in_quotes(name) + " holds something that is not a string";
        auto text = element.get<std::string>();
        if (text.empty()) return in_quotes(name) + " holds an empty string, which names nothing";
        out.push_back(std::move(text));
    }
    return std::nullopt;
}

Complaint read_bool(const json& value, std::string_view name, bool& out) {
    if (!value.is_boolean()) return in_quotes(name) + " is true or false";
    out = value.get<bool>();
    return std::nullopt;
}

Complaint read_wait(const json& value, PurgeRequest& out) {
    if (value == "local")
        out.wait = PurgeRequest::Wait::local;
    else if (value == "all")
        out.wait = PurgeRequest::Wait::all;
    else
        return "\"wait\" is \"local\" or \"all\"";
    return std::nullopt;
}

Complaint read_member(const std::string& name, const json& value, PurgeRequest& out) {
    for (const Named& named : lists)
        if (named.member == name) return read_list(value, name, out.*named.list);
    if (name == "all") return read_bool(value, name, out.all);
    if (name == "soft") return read_bool(value, name, out.soft);
    if (name == "wait") return read_wait(value, out);
    return "unknown member " + in_quotes(name) + suggestion(name, members);
}

}  // namespace

std::expected<PurgeRequest, std::string> parse_purge_request(std::string_view text) {
    const json document = json::parse(text, nullptr, false);
    if (document.is_discarded()) return std::unexpected("the body is not JSON");
    if (!document.is_object()) return std::unexpected("the body is a JSON object, like {\"tags\": [\"posts\"]}");

    PurgeRequest request;
    for (const auto& [name, value] : document.items())
        if (auto complaint = read_member(name, value, request)) return std::unexpected(std::move(*complaint));

    std::size_t items = 0;
    for (const Named& named : lists) items += (request.*named.list).size();
    if (items > purge_items_max)
        return std::unexpected("at most " + std::to_string(purge_items_max) +
                               " things can be purged at once; say \"all\" or a prefix");
    if (items == 0 && !request.all)
        return std::unexpected(
            "nothing is named; say \"tags\", \"keys\", \"urls\", \"prefixes\", \"hosts\", or \"all\": true");
    return request;
}

Result<flow::Invalidation> invalidation_of(const PurgeRequest& request) {
    using Kind = flow::Target::Kind;
    flow::Invalidation out;
    out.softness = request.soft ? coherence::Softness::soft : coherence::Softness::hard;
    std::string wrong;
    const auto add = [&](const std::vector<std::string>& texts, Kind kind, std::string_view what) {
        for (const std::string& text : texts) {
            auto target = flow::target_text(kind, text);
            if (target)
                out.targets.push_back({kind, std::move(*target)});
            else
                wrong = in_quotes(text) + " is " + std::string(what);
        }
    };
    add(request.tags, Kind::tag, "no tag");
    add(request.keys, Kind::key, "no key");
    add(request.hosts, Kind::host, "no host; write it without scheme and path");
    add(request.prefixes, Kind::prefix, "no prefix; write a path, or \"http://host/path\", without query");
    add(request.urls, Kind::url, "neither a URL nor a path");
    if (request.all) out.targets.push_back({Kind::everything, {}});
    if (!wrong.empty()) return failure(Blame::client, Fault::bad_request, std::move(wrong));
    return out;
}

std::string words_of(const PurgeRequest& request) {
    constexpr std::size_t enough = 2048;  // what a line of log is cut at (base/log.hpp)
    std::string out(request.all ? "everything" : "");
    const auto add = [&](std::string_view kind, const std::vector<std::string>& names) {
        for (const std::string& name : names) {
            if (out.size() > enough) return;
            out.append(out.empty() ? "" : ", ").append(kind).append(name);
        }
    };
    add("tag ", request.tags);
    add("key ", request.keys);
    add("url ", request.urls);
    add("prefix ", request.prefixes);
    add("host ", request.hosts);
    return out;
}

std::string purge_receipt_json(const PurgeReceipt& receipt) {
    const nlohmann::ordered_json document = {
        {"seq", std::to_string(receipt.sequence)},
        {"instances", {{"confirmed", receipt.confirmed}, {"live", receipt.live}}},
    };
    return document.dump() + "\n";
}

}  // namespace etage::gateway
