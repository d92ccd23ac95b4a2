#pragma once
// The parts of an HTTP message: methods, field names, field lists that borrow and field lists that own.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace etage::http {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options, trace, connect, query, purge, other };

/// Case-sensitive (RFC 9110 §9.1); unknown tokens give Method::other.
Method method_of(std::string_view token) noexcept;
std::string_view method_name(Method) noexcept;  // "" for other
/// RFC 9110 §9.2.1: get, head, options, trace, query.
bool is_safe(Method) noexcept;
/// RFC 9110 §9.2.2: the safe ones, put, delete.
bool is_idempotent(Method) noexcept;

/// Fields that code asks for by id, so that a lookup compares bytes, not strings. Text is the lower-case name.
#define ETAGE_FIELDS(X)                                     \
    X(accept, "accept")                                     \
    X(accept_encoding, "accept-encoding")                   \
    X(accept_language, "accept-language")                   \
    X(accept_ranges, "accept-ranges")                       \
    X(age, "age")                                           \
    X(allow, "allow")                                       \
    X(authorization, "authorization")                       \
    X(cache_control, "cache-control")                       \
    X(cache_group_invalidation, "cache-group-invalidation") \
    X(cache_groups, "cache-groups")                         \
    X(cache_status, "cache-status")                         \
    X(cache_tag, "cache-tag")                               \
    X(cdn_cache_control, "cdn-cache-control")               \
    X(connection, "connection")                             \
    X(content_encoding, "content-encoding")                 \
    X(content_language, "content-language")                 \
    X(content_length, "content-length")                     \
    X(content_location, "content-location")                 \
    X(content_range, "content-range")                       \
    X(content_type, "content-type")                         \
    X(cookie, "cookie")                                     \
    X(date, "date")                                         \
    X(etag, "etag")                                         \
    X(etage_cache_control, "etage-cache-control")           \
    X(etage_min_seq, "etage-min-seq")                       \
    X(etage_seq, "etage-seq")                               \
    X(expect, "expect")                                     \
    X(expires, "expires")                                   \
    X(forwarded, "forwarded")                               \
    X(host, "host")                                         \
    X(http2_settings, "http2-settings")                     \
    X(if_match, "if-match")                                 \
    X(if_modified_since, "if-modified-since")               \
    X(if_none_match, "if-none-match")                       \
    X(if_range, "if-range")                                 \
    X(if_unmodified_since, "if-unmodified-since")           \
    X(keep_alive, "keep-alive")                             \
    X(last_modified, "last-modified")                       \
    X(location, "location")                                 \
    X(no_vary_search, "no-vary-search")                     \
    X(pragma, "pragma")                                     \
    X(proxy_authenticate, "proxy-authenticate")             \
    X(proxy_authorization, "proxy-authorization")           \
    X(proxy_connection, "proxy-connection")                 \
    X(range, "range")                                       \
    X(ratelimit, "ratelimit")                               \
    X(ratelimit_policy, "ratelimit-policy")                 \
    X(referer, "referer")                                   \
    X(retry_after, "retry-after")                           \
    X(server, "server")                                     \
    X(set_cookie, "set-cookie")                             \
    X(surrogate_control, "surrogate-control")               \
    X(surrogate_key, "surrogate-key")                       \
    X(te, "te")                                             \
    X(trailer, "trailer")                                   \
    X(transfer_encoding, "transfer-encoding")               \
    X(upgrade, "upgrade")                                   \
    X(user_agent, "user-agent")                             \
    X(vary, "vary")                                         \
    X(via, "via")                                           \
    X(warning, "warning")                                   \
    X(www_authenticate, "www-authenticate")                 \
    X(x_forwarded_for, "x-forwarded-for")                   \
    X(x_forwarded_host, "x-forwarded-host")                 \
    X(x_forwarded_proto, "x-forwarded-proto")               \
    X(xkey, "xkey")

enum class FieldId : std::uint8_t {
    unknown = 0,
#define ETAGE_ENUMERATOR(id, text) id,
    ETAGE_FIELDS(ETAGE_ENUMERATOR)
#undef ETAGE_ENUMERATOR
        count_
};

/// The id of a field name, compared without case; FieldId::unknown when it is none of ours. No allocation, no locale.
FieldId field_id(std::string_view name) noexcept;
/// The lower-case name; "" for unknown.
std::string_view field_name(FieldId) noexcept;

/// Fields about one connection, not about the message (RFC 9110 §7.6.1): Connection, Keep-Alive, Proxy-Connection, TE,
/// Trailer, Transfer-Encoding, Upgrade, Proxy-Authenticate, Proxy-Authorization, HTTP2-Settings.
bool is_hop_by_hop(FieldId) noexcept;

/// Fields that hold a digest of the very bytes a message or representation consists of: Content-Digest, Repr-Digest
/// (RFC 9530), Digest (RFC 3230), Content-MD5. Another coding has others.
bool is_digest(std::string_view name) noexcept;

/// ASCII case-insensitive equality (field names, tokens).
bool iequals(std::string_view a, std::string_view b) noexcept;

/// The same field name to an origin that speaks CGI (RFC 3875 §4.1.18): X_Forwarded_For is X-Forwarded-For there.
bool iequals_as_cgi(std::string_view a, std::string_view b) noexcept;

/// One field line. Both views borrow; `value` has no surrounding whitespace.
struct Field {
    std::string_view name;
    std::string_view value;
    FieldId id = FieldId::unknown;
};

using FieldSpan = std::span<const Field>;

/// First value of a field, or nothing. For unknown names compare by text.
std::optional<std::string_view> find(FieldSpan, FieldId) noexcept;
std::optional<std::string_view> find(FieldSpan, std::string_view name) noexcept;
bool contains(FieldSpan, FieldId) noexcept;
/// All values of a list field joined with ", " (RFC 9110 §5.2); nothing when absent. Allocates.
std::optional<std::string> joined(FieldSpan, FieldId);
std::optional<std::string> joined(FieldSpan, std::string_view name);

/// Calls `each(element)` for every element of every line of a comma list (RFC 9110 §5.6.1): quoted strings are kept
/// whole, empty elements skipped, whitespace trimmed. Stops when `each` returns false (if it returns bool). No
/// allocation; views borrow from the fields.
template <class F>
void for_each_element(FieldSpan fields, FieldId id, F&& each);

/// The same for one value. Returns false when `each` has stopped it.
template <class F>
bool for_each_element(std::string_view value, F&& each);

/// A field list that owns its bytes. Names and values taken from it stay valid until it is destroyed, also when fields
/// are added or removed or the list is moved; a span() only until then. Not thread-safe for writing.
class Fields {
public:
    Fields() = default;
    explicit Fields(FieldSpan);
    Fields(const Fields& o) : Fields(o.span()) {}
    Fields(Fields&& o) noexcept { swap(o); }
    Fields& operator=(const Fields& o) { return *this = Fields(o); }
    Fields& operator=(Fields&& o) noexcept {
        Fields(std::move(o)).swap(*this);
        return *this;
    }
    ~Fields() = default;
    void swap(Fields& o) noexcept {
        list_.swap(o.list_);
        blocks_.swap(o.blocks_);
        std::swap(block_left_, o.block_left_);
        std::swap(block_size_, o.block_size_);
        std::swap(bytes_, o.bytes_);
    }

    FieldSpan span() const noexcept { return list_; }
    operator FieldSpan() const noexcept { return list_; }
    bool empty() const noexcept { return list_.empty(); }
    std::size_t size() const noexcept { return list_.size(); }
    /// Bytes on the heap, overhead included.
    std::size_t footprint() const noexcept;

    void add(std::string_view name, std::string_view value);
    void add(FieldId id, std::string_view value);  // canonical capitalisation: "Cache-Control"
    void set(FieldId id, std::string_view value);  // removes all others of that name first
    void set(std::string_view name, std::string_view value);
    void remove(FieldId id) noexcept;
    void remove(std::string_view name) noexcept;
    template <class Pred>
    void remove_if(Pred pred) {
        std::erase_if(list_, pred);
    }

private:
    static constexpr std::size_t block_bytes_min = 256;

    void append(const Field& field);
    std::string_view keep(std::string_view bytes);
    void open_block(std::size_t size);

    std::vector<Field> list_;
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t block_left_ = 0;  // free bytes at the end of the newest block
    std::size_t block_size_ = 0;
    std::size_t bytes_ = 0;  // sum of block sizes
};

/// "Cache-Control" for FieldId::cache_control: the capitalisation Etage writes.
std::string_view canonical_name(FieldId) noexcept;

/// How a message's content is delimited (RFC 9112 §6.3).
enum class BodyKind : std::uint8_t { none, length, chunked, until_close };

/// A parsed request head. Every view borrows from the bytes given to the parser.
struct RequestHead {
    Method method = Method::get;
    std::string_view method_text;
    std::string_view target;     // as received
    std::string_view scheme;     // of an absolute-form target, else ""
    std::string_view authority;  // of the target, else the Host field; host[:port], validated
    std::string_view path;       // starts with '/', or "*" for OPTIONS *
    std::string_view query;      // without '?'
    bool has_query = false;
    std::uint8_t minor = 1;  // HTTP/1.minor: 0 or 1
    bool keep_alive = true;  // RFC 9112 §9.3
    bool expects_continue = false;
    bool wants_upgrade = false;
    BodyKind body = BodyKind::none;
    std::uint64_t content_length = 0;
    FieldSpan fields;
    std::size_t head_bytes = 0;  // length of the head in the input

    bool has_body() const noexcept {
        return body == BodyKind::chunked || (body == BodyKind::length && content_length > 0);
    }
};

/// A parsed response head. Borrows like RequestHead.
struct ResponseHead {
    int status = 0;
    std::string_view reason;
    std::uint8_t minor = 1;
    bool keep_alive = true;
    BodyKind body = BodyKind::none;
    std::uint64_t content_length = 0;
    FieldSpan fields;
    std::size_t head_bytes = 0;
};

/// The usual reason phrase (RFC 9110 §15), "" when unknown.
std::string_view reason_phrase(int status) noexcept;

// ---- templates

template <class F>
bool for_each_element(std::string_view value, F&& each) {
    std::size_t i = 0;
    while (i < value.size()) {
        while (i < value.size() && (value[i] == ' ' || value[i] == '\t' || value[i] == ',')) ++i;
        const std::size_t begin = i;
        bool quoted = false;
        for (; i < value.size() && (quoted || value[i] != ','); ++i) {
            if (value[i] == '"')
                quoted = !quoted;
            else if (quoted && value[i] == '\\' && i + 1 < value.size())
                ++i;
        }
        std::size_t end = i;
        while (end > begin && (value[end - 1] == ' ' || value[end - 1] == '\t')) --end;
        if (end == begin) continue;
        if constexpr (std::is_same_v<decltype(each(value)), bool>) {
            if (!each(value.substr(begin, end - begin))) return false;
        } else {
            each(value.substr(begin, end - begin));
        }
    }
    return true;
}

template <class F>
void for_each_element(FieldSpan fields, FieldId id, F&& each) {
    for (const Field& f : fields)
        if (f.id == id && !for_each_element(f.value, each)) return;
}

}  // namespace etage::http
