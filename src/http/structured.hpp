#pragma once
// Structured field values (RFC 9651): the parts in use. Parsing is strict: a field that does not parse is ignored
// whole.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etage::http {

/// sf-string: quoted, `"` and `\` escaped. Characters outside VCHAR/SP are replaced with '?'.
void append_sf_string(std::string& out, std::string_view text);

/// A List whose members are all Strings (parameters are skipped), as Cache-Groups and Cache-Group-Invalidation
/// (RFC 9875) have it. Nothing when the field is not such a list. Several lines are joined before the call.
std::optional<std::vector<std::string>> parse_sf_string_list(std::string_view text);

/// A member of a Dictionary. Borrows from the field.
struct SfMember {
    std::string_view key;
    std::string_view value;  // the item or inner list as written, without parameters; "?1" when there is none
};

/// Reads a Dictionary (RFC 9651 §3.2, §4.2.2) member by member, without allocation. After a failure what came before
/// counts for nothing: the whole field is to be ignored. Of members with the same key the last counts.
class SfDictionary {
public:
    explicit SfDictionary(std::string_view text) noexcept;

    /// False at the end and on failure.
    bool next(SfMember&) noexcept;
    bool failed() const noexcept { return failed_; }

private:
    bool read(SfMember&) noexcept;

    std::string_view rest_;
    bool failed_ = false;
};

/// The Strings of an Inner List as SfMember has it (parameters are skipped). Nothing when it is another type, or holds
/// one.
std::optional<std::vector<std::string>> parse_sf_inner_strings(std::string_view value);

}  // namespace etage::http
