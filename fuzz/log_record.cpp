// Any fields as a record of the log: it means something, and what it means is written and read back the same.

#include "redis/log_record.hpp"

#include "fuzz.hpp"

using namespace etage;

namespace {

redis::LogRecord read(const std::vector<std::string>& fields) {
    return redis::read_record(std::vector<std::string_view>(fields.begin(), fields.end()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = fuzz::text_of(data, size);
    std::vector<std::string> fields;
    while (!rest.empty()) fields.emplace_back(fuzz::take_line(rest));
    const auto record = read(fields);
    const auto& targets = record.what.targets;
    if (targets.empty()) {
        bool is_mark = false;
        for (const std::string& field : fields) is_mark |= field == "genesis" || field == "ratchet" || field == "step";
        fuzz::require(is_mark && record.trouble.empty());
        return 0;
    }
    if (!record.trouble.empty()) {
        fuzz::require(targets.size() == 1 && targets[0].kind == flow::Target::Kind::everything);
        fuzz::require(record.what.softness == coherence::Softness::hard);
    }
    // A target that was not normal is there twice; read again, the normal one stays and the other one may give more.
    const auto again = read(redis::record_fields(record.what, record.by));
    fuzz::require(again.by == record.by);
    if (again.trouble.empty()) {
        std::size_t found = 0;
        for (const auto& target : targets)
            for (const auto& other : again.what.targets)
                if (target == other) {
                    ++found;
                    break;
                }
        fuzz::require(found == targets.size() && again.what.softness == record.what.softness);
    } else {
        fuzz::require(again.what.targets.size() == 1);
    }
    return 0;
}
