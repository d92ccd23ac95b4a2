#pragma once
// What coherence_random_test.cpp knows and no instance does: when everything began, and every mark exactly.

#include "coherence/engine.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <vector>

namespace etage::simulation {

using coherence::Softness;
using Moment = std::uint64_t;  // a total order of all that happens
using Tags = std::array<TagHash, 4>;

struct Entry {
    Sequence fence = 0;
    Sequence validated = 0;
    Tags tags{};
    int version = 0;
    Moment began = 0;  // ghost
};

struct LogRecord {
    Sequence position = 0;
    TagHash tag = 0;
    Softness softness = Softness::hard;
    Moment began = 0;  // ghost
};

/// Exact marks of one instance: which invalidations bind the requests that begin there, since when.
class Oracle {
public:
    void bind(Moment now, const LogRecord& record) {
        auto& marks = (record.softness == Softness::hard ? hard_ : soft_)[record.tag];
        marks.push_back({now, std::max(record.began, marks.empty() ? 0 : marks.back().began)});
    }

    /// May a request that began at `request` be answered by this?
    bool allows(Moment request, const Entry& entry, bool fresh) const {
        return std::ranges::all_of(entry.tags, [&](TagHash tag) {
            return newest(hard_, tag, request) <= entry.began && (!fresh || newest(soft_, tag, request) <= entry.began);
        });
    }

private:
    struct Mark {
        Moment bound = 0;
        Moment began = 0;  // of the newest so far
    };
    using Marks = std::map<TagHash, std::vector<Mark>>;

    static Moment newest(const Marks& marks, TagHash tag, Moment request) {
        const auto found = marks.find(tag);
        if (found == marks.end()) return 0;
        for (auto mark = found->second.rbegin(); mark != found->second.rend(); ++mark)
            if (mark->bound <= request) return mark->began;
        return 0;
    }

    Marks hard_;
    Marks soft_;
};

}  // namespace etage::simulation
