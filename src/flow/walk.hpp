#pragma once
// The walk of a request through the house (DESIGN §2). Each step is a room of its own:
//   lookup.cpp   1–4, 8   route, limit, key, shelf: the hit, one plain function
//   limiting.cpp 2        limits that only Redis knows, limits on misses, what limits tell, what answers cost
//   coding.cpp   8        codings that a hit would have liked, made behind it
//   recoding.cpp 8        codings of what comes from no entry, made and taken away as it passes
//   walk.cpp     5–8      what happens when there was no hit, in order
//   remote.cpp   6        the shared tier: found there, claimed for all instances, written behind
//   fill.cpp     7        one fetch for all who wait: origin, rules, shelf
//   keep.cpp     7        what is kept of an answer: parts, shapes, shelf
//   partial.cpp  7        parts: answered from, asked for, put together, completed
//   methods.cpp  7        HEAD that freshens, QUERY with its content, POST kept for GET
//   forward.cpp  7        requests as the origin gets them; what is forwarded alone; what an answer invalidates
//   upgrade.cpp  7        what leaves HTTP: 101 and the tunnel behind it
//   last_hop.cpp 7        TRACE and OPTIONS that end here
//   present.cpp  8        in which shape
//
// Concurrency · One Walk serves all threads; it holds no state of its own but references to the rooms.
// What this does not promise · Order between requests; a follower may be answered before the one who started the
// flight.

#include "flow/answer.hpp"
#include "flow/asked.hpp"
#include "flow/coded_body.hpp"
#include "flow/flight.hpp"
#include "flow/present.hpp"
#include "flow/recode.hpp"
#include "flow/rooms.hpp"
#include "policy/reuse.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace etage::flow {

class Walk : public Service {
public:
    explicit Walk(Rooms rooms) : rooms_(std::move(rooms)) {}

    bool answer_now(Visit& visit, Answer& out) noexcept override;
    asio::awaitable<void> answer(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out) override;
    void refuse(Fault fault, std::string_view why, Answer& out) noexcept override;

    const Rooms& rooms() const noexcept { return rooms_; }

private:
    /// What a flight needs that does not belong to any client.
    struct Plan;
    struct Ruling;

    // lookup.cpp
    bool look_up(Visit& visit, Answer& out);
    bool look_on(Visit& visit, Answer& out);
    bool give_name(Visit& visit);
    bool find_entry(Visit& visit, Answer& out);
    static bool is_of_its_route(const Visit& visit, const store::Entry& entry) noexcept;
    static bool may_be_given(const Visit& visit, const store::Entry& entry) noexcept;
    base::Ref<const store::Shelf> equivalent_shelf(Visit& visit) const;
    coherence::Validity validity(const store::Entry& entry) const noexcept;
    coherence::Validity validity(const Notes& notes, const store::Entry& entry) const noexcept;
    void finish_hit(Visit& visit, base::Ref<const store::Entry> entry, Answer& out);

    // coding.cpp
    void want_coding(const base::Ref<const store::Entry>& entry, http::Coding coding);

    // recoding.cpp
    struct Content;
    void present_content(const Visit& visit, Content content, Answer& out);
    Recoding recode(const Visit& visit, const Recoding& recoding, Content& content);
    std::shared_ptr<net::BodySource> decoded(const Visit& visit, http::Coding coding,
                                             std::shared_ptr<net::BodySource> content,
                                             const CodedBody::Workplace& workplace);
    Presented give_entry(const Visit& visit, base::Ref<const store::Entry> entry, Answer& out);
    void give_arriving(const Visit& visit, const Arriving& arriving, std::shared_ptr<net::BodySource> reader,
                       Answer& out);
    void serve_decoded(Visit& visit, Answer& out);

    // limiting.cpp
    static Gate::Request gate_request(const Visit& visit) noexcept;
    asio::awaitable<void> ask_limits(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out);
    asio::awaitable<bool> may_go_forward(Visit& visit, Answer& out);
    void answer_refused(Visit& visit, Answer& out);
    static void tell_limits(const Visit& visit, Answer& out) noexcept;
    void charge(const Visit& visit, Answer& out);
    void answer_limits_page(Visit& visit, Answer& out);  // limits_page.cpp

    // walk.cpp
    asio::awaitable<void> go_on(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out);
    asio::awaitable<void> take_off(Visit& visit, Answer& out);
    asio::awaitable<void> wait_for_token(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out);
    bool arrive(Visit& visit, const Flight& flight, bool started, Answer& out);
    bool serve_fallback(Visit& visit, const Error* error, int status, Answer& out);
    bool matches(const Visit& visit, const Outcome& outcome) const;
    void serve_stale_and_refresh(Visit& visit, Answer& out, const asio::any_io_executor& executor);
    static std::shared_ptr<net::BodySource> content_of(const Notes& notes);
    void answer_only_if_cached(Visit& visit, Answer& out);
    void answer_unrouted(Visit& visit, Answer& out);
    void answer_error(Visit& visit, const Error& error, Answer& out);
    void answer_not_asked(Visit& visit, const Error& error, Answer& out);
    void finish_forwarded(Visit& visit, Answer& out) noexcept;

    // remote.cpp
    asio::awaitable<bool> land_from_remote(Flight& flight, Plan& plan);
    bool take_from_remote(Flight& flight, Plan& plan, const base::Ref<const store::Entry>& entry);
    asio::awaitable<bool> claim_for_all(Flight& flight, Plan& plan, const store::RemoteName& name, Instant deadline);
    asio::awaitable<std::optional<net::Slot>> outage_slot(const Plan& plan);
    void share(Plan& plan, const base::Ref<const store::Entry>& entry, const http::VaryNames& vary);
    void finish_remote(Visit& visit, const Outcome& outcome, Answer& out);

    // partial.cpp
    bool look_for_part(Visit& visit, Answer& out);
    base::Ref<const store::Entry> find_part(const Visit& visit) const;
    static void ask_for_part(const Visit& visit, Plan& plan);
    static bool is_a_part(Plan& plan, const OriginResponse& response);
    asio::awaitable<Result<OriginResponse>> complete(Plan& plan, OriginResponse response);
    base::Ref<const store::Entry> find_beside(const Plan& plan, const store::EntryParts& newer) const;
    asio::awaitable<base::Ref<const store::Entry>> put_together(Plan& plan, base::Ref<const store::Entry> entry);

    // methods.cpp
    asio::awaitable<void> ask_by_head(Visit& visit, Answer& out);
    bool fall_back(Visit& visit, const Result<OriginResponse>& response, Answer& out);
    asio::awaitable<void> ask_by_query(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out);
    struct AsGet;
    asio::awaitable<void> answer_post(Visit& visit, OriginResponse response, Sequence began, Now asked, Answer& out);

    // fill.cpp
    std::vector<TagHash> asked_tags(const Visit& visit) const;
    std::shared_ptr<Plan> plan(const Visit& visit) const;
    static void ask_about(Plan& plan, const base::Ref<const store::Entry>& entry);
    std::shared_ptr<Flight> new_flight(const Visit& visit, Sequence fence) const;
    void launch(const asio::any_io_executor& executor, std::shared_ptr<Flight> flight, std::shared_ptr<Plan> plan);
    asio::awaitable<Result<OriginResponse>> ask_anew(Plan& plan);
    asio::awaitable<void> fly(std::shared_ptr<const void> keeper, std::shared_ptr<Flight> flight,
                              std::shared_ptr<Plan> plan);
    asio::awaitable<void> land_response(Flight& flight, Plan& plan, OriginResponse response);
    static Outcome outcome_of(const Flight& flight, const Plan& plan, OriginResponse& response);
    asio::awaitable<void> land_error(Flight& flight, Plan& plan, OriginResponse response);
    asio::awaitable<void> land_whole(Flight& flight, Plan& plan, OriginResponse response);
    asio::awaitable<void> land_arriving(Flight& flight, Plan& plan, OriginResponse response);
    asio::awaitable<void> land_validated(Flight& flight, Plan& plan, OriginResponse response);
    asio::awaitable<Outcome> freshen(const Flight& flight, Plan& plan, const store::Entry& entry,
                                     OriginResponse response);
    void land_failed(Flight& flight, const Plan& plan, Error error);
    void land_exclusive(Flight& flight, Plan& plan, OriginResponse response, Detail why);

    // keep.cpp
    asio::awaitable<base::Ref<const store::Entry>> shape(Plan& plan, store::EntryParts parts, std::string content);
    store::EntryParts parts_of(const Flight& flight, const Plan& plan, const OriginResponse& response) const;
    asio::awaitable<bool> keep(Plan& plan, base::Ref<const store::Entry> entry, Detail& why_not);
    bool shelve(Plan& plan, const base::Ref<const store::Entry>& entry, Detail& why_not);

    // forward.cpp
    asio::awaitable<void> forward_alone(Visit& visit, std::shared_ptr<net::BodySource> body, Answer& out);
    asio::awaitable<Result<OriginResponse>> fetch(OriginRequest request);
    bool may_upgrade(const http::RequestHead& request, const policy::Route* route) const noexcept;  // upgrade.cpp
    void present_tunnel(Visit& visit, OriginResponse response, Answer& out);                        // upgrade.cpp
    bool answer_as_last_hop(Visit& visit, Answer& out);                                             // last_hop.cpp
    OriginRequest request_for(const http::RequestHead& request, std::string_view scheme, std::string_view client,
                              const policy::Match& match, bool fill) const;
    asio::awaitable<void> present_origin_response(Visit& visit, OriginResponse response, Answer& out);
    asio::awaitable<void> invalidate_after(Visit& visit, Invalidation invalidation, Answer& out);
    Invalidation invalidation_of(const Visit& visit, const OriginResponse& response) const;

    Rooms rooms_;
};

}  // namespace etage::flow
