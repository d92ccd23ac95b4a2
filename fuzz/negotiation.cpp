// First byte: the codings at hand; the rest: lines of Accept-Encoding. The choice is at hand, is not refused, and
// nothing at hand weighs more. Neither the order of the lines nor a coding that nobody knows makes a difference.

#include "http/negotiation.hpp"

#include "fuzz.hpp"

#include <algorithm>
#include <vector>

using namespace etage;
using http::Coding;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    http::CodingSet available;
    for (const Coding coding : http::codings_by_size)
        if ((data[0] >> static_cast<unsigned>(coding) & 1) != 0) available = available.with(coding);
    std::string_view rest = fuzz::text_of(data, size).substr(1);
    std::vector<http::Field> fields;
    while (!rest.empty()) fields.push_back({"Accept-Encoding", fuzz::take_line(rest), http::FieldId::accept_encoding});

    const http::CodingWeights weights = http::coding_weights(fields);
    const http::CodingChoice choice = http::choose_coding(fields, available);
    const std::uint16_t weight = weights.of(choice.coding);
    if (choice.coding == Coding::identity) {
        fuzz::require(choice.acceptable == (weight > 0 || !weights.identity_refused));
    } else {
        fuzz::require(choice.acceptable && available.has(choice.coding) && weight > 0);
    }
    fuzz::require(weights.of(Coding::identity) <= weight);
    for (const Coding coding : http::codings_by_size)
        fuzz::require(!available.has(coding) || (weights.of(coding) <= weight && weight <= 1000));

    const auto chooses_the_same = [&] {
        const http::CodingChoice other = http::choose_coding(fields, available);
        return other.coding == choice.coding && other.acceptable == choice.acceptable;
    };
    std::ranges::reverse(fields);
    fuzz::require(chooses_the_same());
    fields.push_back({"Accept-Encoding", "x-nobody-knows;q=1", http::FieldId::accept_encoding});
    fuzz::require(chooses_the_same());
    return 0;
}
