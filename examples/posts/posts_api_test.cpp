#include "posts_api.hpp"

#include "post_input.hpp"
#include "posts_tags.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace etage::demo {
namespace {

using nlohmann::json;

std::unique_ptr<PostsStore> posts() { return PostsStore::open({}).value(); }

Request with_body(std::string body) { return Request({.method = "POST", .body = std::move(body)}); }
Request with_json(const json& body) { return with_body(body.dump()); }

std::string header(const Response& response, std::string_view name) {
    for (const NameValue& h : response.headers())
        if (h.name == name) return h.value;
    return {};
}

/// "status parameter bound" of what a handler throws.
template <class F>
std::string refusal(F&& call) {
    try {
        call();
    } catch (const Problem& problem) {
        std::string text = std::to_string(problem.status());
        for (const NameValue& member : problem.members())
            if (member.name != "value") text += " " + member.value;
        return text;
    }
    return "accepted";
}

TEST(PostsApi, AListIsTheArticles) {
    const auto store = posts();
    const auto response = list_posts(*store, 2, 1, "tech");
    EXPECT_EQ(response.body(),
              R"({"total":250,"limit":2,"offset":1,"items":[{"id":4,"title":"post-4","category":"tech"},)"
              R"({"id":6,"title":"post-6","category":"tech"}]})");
    EXPECT_EQ(header(response, "Cache-Control"), "public, max-age=30");
    EXPECT_EQ(response.tags(), (Tags{"posts:cat:tech", "post:4", "posts:show:tech", "post:6"}));
    EXPECT_EQ(list_posts(*store, 2, 0, std::nullopt).tags(),
              (Tags{"posts:all", "post:1", "posts:show:life", "post:2", "posts:show:tech"}));
}

TEST(PostsApi, ADetailOrItsAbsenceIsTagged) {
    const auto store = posts();
    const auto there = get_post(*store, 7);
    EXPECT_EQ(there.body(), R"({"id":7,"title":"post-7","category":"life"})");
    EXPECT_EQ(header(there, "Cache-Control"), "public, max-age=60");
    EXPECT_EQ(there.tags(), (Tags{"post:7", "posts:show:life"}));

    const auto absent = get_post(*store, 501);
    EXPECT_EQ(absent.status(), 404);
    EXPECT_EQ(header(absent, "Content-Type"), "application/problem+json");
    EXPECT_EQ(absent.tags(), (Tags{"post:501"}));
}

TEST(PostsApi, CreatingTellsWhereAndWhatIsTouched) {
    const auto store = posts();
    const auto response = create_post(*store, with_json({{"title", "hello"}, {"category", "tech"}}));
    EXPECT_EQ(response.status(), 201);
    EXPECT_EQ(header(response, "Location"), "/posts/501");
    EXPECT_EQ(response.body(), R"({"id":501,"title":"hello","category":"tech"})");
    EXPECT_EQ(response.invalidates(), (Tags{"post:501", "posts:all", "posts:cat:tech"}));
}

TEST(PostsApi, ANewTitleTouchesOnlyThePost) {
    const auto store = posts();
    EXPECT_EQ(patch_post(*store, with_json({{"title", "new"}}), 2).invalidates(), (Tags{"post:2"}));
    EXPECT_TRUE(patch_post(*store, with_json({{"title", "new"}}), 2).invalidates().empty()) << "nothing has changed";
    EXPECT_EQ(replace_post(*store, with_json({{"id", 2}, {"title", "x"}, {"category", "life"}}), 2).invalidates(),
              (Tags{"post:2", "posts:cat:tech", "posts:cat:life"}));
}

TEST(PostsApi, DeletingAnswersNothing) {
    const auto store = posts();
    const auto response = delete_post(*store, 2);
    EXPECT_EQ(response.status(), 204);
    EXPECT_TRUE(response.body().empty());
    EXPECT_EQ(response.invalidates(), (Tags{"post:2", "posts:all", "posts:cat:tech"}));
    EXPECT_EQ(delete_post(*store, 2).status(), 404);
    EXPECT_EQ(patch_post(*store, with_json({{"title", "x"}}), 2).status(), 404);
    EXPECT_EQ(replace_post(*store, with_json({{"title", "x"}, {"category", "a"}}), 2).status(), 404);
}

TEST(PostInput, NamesWhatIsWrong) {
    const auto both = [](const std::string& body) {
        return refusal([&] { read_post(with_body(body), Wanted::both); });
    };
    EXPECT_EQ(both(""), "400");
    EXPECT_EQ(both("{"), "400");
    EXPECT_EQ(both("[]"), "400");
    EXPECT_EQ(both("{}"), "422 title required");
    EXPECT_EQ(both(R"({"title":"a"})"), "422 category required");
    EXPECT_EQ(both(R"({"title":7,"category":"a"})"), "422 title 1..200 characters");
    EXPECT_EQ(both(R"({"title":"","category":"a"})"), "422 title 1..200 characters");
    EXPECT_EQ(both(R"({"title":"a\nb","category":"a"})"), "422 title 1..200 characters");
    EXPECT_EQ(both(R"({"title":"a","category":"A b"})"), "422 category 1..40 of a-z, 0-9 and -");
    EXPECT_EQ(both(R"({"title":"a","category":"a","id":1})"), "422 id none");
    EXPECT_EQ(both(R"({"title":"a","category":"a","author":"x"})"), "422 author title, category");
    EXPECT_EQ(both(R"({"title":"a","category":"a"})"), "accepted");
    EXPECT_EQ(refusal([] { read_post(with_body("{}"), Wanted::at_least_one); }), "422 title title, category");
    EXPECT_EQ(refusal([] { read_post(with_body(R"({"id":8,"title":"a"})"), Wanted::at_least_one, 7); }), "422 id 7");
    EXPECT_EQ(refusal([] { read_post(with_body(R"({"id":7,"title":"a"})"), Wanted::at_least_one, 7); }), "accepted");
}

TEST(PostInput, CountsCharactersNotBytes) {
    std::string title;
    for (std::size_t i = 0; i < title_characters_max; ++i) title += "ä";
    EXPECT_EQ(read_post(with_json({{"title", title}}), Wanted::at_least_one).title, title);
    EXPECT_EQ(refusal([&] { read_post(with_json({{"title", title + "a"}}), Wanted::at_least_one); }),
              "422 title 1..200 characters");
}

TEST(PostInput, DeepNestingIsAnErrorAndNothingWorse) {
    const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
    EXPECT_EQ(refusal([&] { read_post(with_body("{\"title\":" + deep + "}"), Wanted::at_least_one); }),
              "422 title 1..200 characters");
}

/// Answers that a client could hold: pages of several sizes of every list, and details, with their tags.
std::map<std::string, std::pair<std::string, Tags>> all_answers(PostsStore& store) {
    std::map<std::string, std::pair<std::string, Tags>> answers;
    const auto keep = [&](const std::string& name, const Response& r) { answers[name] = {r.body(), r.tags()}; };
    for (const auto& category : std::vector<std::optional<std::string>>{{}, "tech", "life", "new"})
        for (const int limit : {1, 7, 100})
            for (std::int64_t offset = 0; offset < 520; offset += 150 + limit)
                keep(category.value_or("*") + " " + std::to_string(limit) + " " + std::to_string(offset),
                     list_posts(store, limit, offset, category));
    for (const std::int64_t id : {1, 2, 3, 250, 499, 500, 501, 502, 600})
        keep("#" + std::to_string(id), get_post(store, id));
    return answers;
}

/// A random write; what it says it has touched.
Tags write_something(PostsStore& store) {
    const auto id = *rc::gen::element<std::int64_t>(1, 2, 3, 152, 158, 260, 499, 500, 501, 502);
    const auto title = *rc::gen::element<std::string>("post-2", "other", "another");
    const auto category = *rc::gen::element<std::string>("tech", "life", "new");
    switch (*rc::gen::inRange(0, 5)) {
        case 0: return create_post(store, with_json({{"title", title}, {"category", category}})).invalidates();
        case 1: return delete_post(store, id).invalidates();
        case 2: return patch_post(store, with_json({{"title", title}}), id).invalidates();
        case 3: return patch_post(store, with_json({{"category", category}}), id).invalidates();
        default: return replace_post(store, with_json({{"title", title}, {"category", category}}), id).invalidates();
    }
}

RC_GTEST_PROP(PostsTags, EveryAnswerThatChangesIsTouchedAndNoOther, ()) {
    const auto store = posts();
    const int writes = *rc::gen::inRange(1, 4);
    auto before = all_answers(*store);
    for (int i = 0; i < writes; ++i) {
        const Tags touched = write_something(*store);
        auto after = all_answers(*store);
        for (const auto& [name, answer] : before) {
            const bool changed = after.at(name).first != answer.first;
            const bool invalidated = std::ranges::any_of(answer.second, [&](const std::string& tag) {
                return std::ranges::find(touched, tag) != touched.end();
            });
            if (changed != invalidated) RC_FAIL(name + (changed ? " changed and stays" : " goes and had not changed"));
        }
        before = std::move(after);
    }
}

TEST(PostsTags, ACategoryIsGoneWhereverItShows) {
    const auto store = posts();
    const Tags tech = category_tags("tech");
    for (const auto& [name, answer] : all_answers(*store)) {
        const bool shows = answer.first.find("\"category\":\"tech\"") != std::string::npos || name.starts_with("tech ");
        const bool invalidated = std::ranges::any_of(
            answer.second, [&](const std::string& tag) { return std::ranges::find(tech, tag) != tech.end(); });
        EXPECT_EQ(shows, invalidated) << name;
    }
}

}  // namespace
}  // namespace etage::demo
