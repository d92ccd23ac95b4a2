#pragma once
// What a handler is given and what it gives back. JSON is duck-typed: any type with a static parse(string) and a dump()
// will do (nlohmann::json has both), so this header needs no JSON library.
//
// Thread-safety: values; one thread at a time. Lifetime: a Request lives until its handler has returned or its
// coroutine has finished; views taken from it live as long.

#include <concepts>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace etage {

template <class J>
concept JsonReadable = requires(const std::string& text) {
    { J::parse(text) } -> std::convertible_to<J>;
};

template <class J>
concept JsonWritable = requires(const J& value) {
    { value.dump() } -> std::convertible_to<std::string>;
};

struct NameValue {
    std::string name;
    std::string value;
};

/// A refusal, thrown by a handler (or on its behalf, for a parameter that does not fit) and answered as
/// application/problem+json (RFC 9457). It is an answer, not a failure: nothing is logged.
class Problem : public std::exception {
public:
    /// Empty title: the reason phrase of `status`. `members` are added to the document as strings (RFC 9457 §3.2).
    Problem(int status, std::string title, std::string detail, std::vector<NameValue> members = {})
        : status_(status), title_(std::move(title)), detail_(std::move(detail)), members_(std::move(members)) {}

    /// 422, naming what was refused: `parameter` (or member of the content), the value given, and what would have been
    /// accepted, as text: "1..100".
    static Problem unprocessable(std::string parameter, std::string_view value, std::string bound, std::string detail);

    int status() const noexcept { return status_; }
    const std::string& title() const noexcept { return title_; }
    const std::string& detail() const noexcept { return detail_; }
    const std::vector<NameValue>& members() const noexcept { return members_; }
    const char* what() const noexcept override { return detail_.c_str(); }

private:
    int status_;
    std::string title_;
    std::string detail_;
    std::vector<NameValue> members_;
};

/// The values of one parameter as a request carries them, percent-decoded.
struct GivenValues {
    std::vector<std::string> values;
    bool undecodable = false;  // at least one was no valid percent-encoding; it is left out of `values`
};

/// A request as its handler sees it: complete, content included.
class Request {
public:
    /// Everything a request is made of: what the server fills in, and what a test of a handler writes down.
    struct Parts {
        std::string method = "GET";
        std::string path = "/";                    // as received, percent-encoded
        std::string query{};                       // as received, without '?'
        std::vector<NameValue> headers{};          // end-to-end fields, in order
        std::vector<NameValue> path_parameters{};  // of the route's pattern, as received, percent-encoded
        std::string body{};
        std::string client_address{};           // numeric, without port
        std::optional<std::string> identity{};  // see identity()
    };

    explicit Request(Parts parts) : parts_(std::move(parts)) {}

    const std::string& method() const noexcept { return parts_.method; }
    const std::string& path() const noexcept { return parts_.path; }
    const std::string& query_text() const noexcept { return parts_.query; }
    const std::string& body() const noexcept { return parts_.body; }
    const std::string& client_address() const noexcept { return parts_.client_address; }

    /// First value of a header field, name compared without case; nothing when absent.
    std::optional<std::string_view> header(std::string_view name) const noexcept;

    /// Who asks, as the route's IdentityPolicy reads it: the value of its header or cookie, else of `Authorization`.
    /// Nothing when the request does not say. It is what the client claims: checking it is the handler's work.
    std::optional<std::string_view> identity() const noexcept;

    /// First value of a query or path parameter, percent-decoded ('+' is a space in a query); nothing when absent or
    /// not decodable. Typed and validated parameters: params.hpp.
    std::optional<std::string> query(std::string_view name) const;
    std::optional<std::string> path(std::string_view name) const;

    /// All values of a parameter, in order.
    GivenValues query_values(std::string_view name) const;
    GivenValues path_values(std::string_view name) const;

    /// The content as JSON. Throws Problem 400 when there is none or it does not parse.
    template <JsonReadable J>
    J json() const {
        if (parts_.body.empty()) throw Problem(400, "", "the request needs a JSON body, and has none");
        try {
            return J::parse(parts_.body);
        } catch (const std::exception& e) {
            throw not_json(e.what());
        }
    }

private:
    static Problem not_json(std::string_view why);

    Parts parts_;
};

/// An answer. Setters return the object, so that an answer can be written in one expression:
///     return Response::json(post).tag("post:7").cache_control("public, max-age=60");
class Response {
public:
    explicit Response(int status = 200) : status_(status) {}

    template <JsonWritable J>
    static Response json(const J& value, int status = 200) {
        return std::move(Response(status).body(value.dump(), "application/json"));
    }
    static Response text(std::string content, int status = 200);
    /// application/problem+json (RFC 9457), like a thrown Problem.
    static Response problem(int status, std::string title, std::string detail);
    static Response problem(const Problem&);
    static Response no_content() { return Response(204); }
    /// 201 with Location (RFC 9110 §15.3.2).
    static Response created(std::string location);

    /// Sets a header field, replacing what it was. Content-Length and connection fields are Etage's own: they are
    /// ignored. Throws std::invalid_argument on a name or value that HTTP does not allow (a line break in it, above
    /// all).
    Response& header(std::string_view name, std::string_view value) &;
    /// Adds a further line of a field: Set-Cookie, Link.
    Response& add_header(std::string_view name, std::string_view value) &;
    Response& body(std::string content, std::string_view content_type) &;
    Response& cache_control(std::string_view value) & { return header("Cache-Control", value); }

    /// Names what this answer was made from. Whoever invalidates the tag invalidates this answer, wherever it is
    /// stored.
    Response& tag(std::string text) &;
    /// Names what this request has changed. Call it after the commit; before the client hears of its success, nothing
    /// that carries the tag is served any more. Ignored on safe methods and on statuses other than 2xx and 3xx.
    Response& invalidate(std::string tag_text) &;

    Response&& header(std::string_view name, std::string_view value) && { return std::move(header(name, value)); }
    Response&& add_header(std::string_view name, std::string_view value) && {
        return std::move(add_header(name, value));
    }
    Response&& body(std::string content, std::string_view type) && { return std::move(body(std::move(content), type)); }
    Response&& cache_control(std::string_view value) && { return std::move(cache_control(value)); }
    Response&& tag(std::string text) && { return std::move(tag(std::move(text))); }
    Response&& invalidate(std::string tag_text) && { return std::move(invalidate(std::move(tag_text))); }

    int status() const noexcept { return status_; }
    const std::vector<NameValue>& headers() const noexcept { return headers_; }
    const std::string& body() const noexcept { return body_; }
    const std::vector<std::string>& tags() const noexcept { return tags_; }
    const std::vector<std::string>& invalidates() const noexcept { return invalidates_; }

private:
    int status_;
    std::vector<NameValue> headers_;
    std::string body_;
    std::vector<std::string> tags_;
    std::vector<std::string> invalidates_;
};

}  // namespace etage
