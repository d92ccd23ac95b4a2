#include "flow/entrance.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace etage::flow {
namespace {

/// Counts itself.
class Numbered : public Service {
public:
    Numbered(int n, std::atomic<int>& alive) : number(n), alive_(alive) { alive_.fetch_add(1); }
    ~Numbered() override { alive_.fetch_sub(1); }
    bool answer_now(Visit&, Answer&) noexcept override { return false; }
    asio::awaitable<void> answer(Visit&, std::shared_ptr<net::BodySource>, Answer&) override { co_return; }
    void refuse(Fault, std::string_view, Answer&) noexcept override {}

    const int number;

private:
    std::atomic<int>& alive_;
};

int number_of(const std::shared_ptr<Service>& service) { return static_cast<Numbered&>(*service).number; }

TEST(Entrance, WhoeverHoldsTheOldOneKeepsItUntilItLooksAgain) {
    std::atomic<int> alive{0};
    Entrance entrance(std::make_shared<Numbered>(1, alive));
    std::shared_ptr<Service> held, other;
    entrance.refresh(held);
    entrance.refresh(other);
    EXPECT_EQ(number_of(held), 1);
    entrance.change(std::make_shared<Numbered>(2, alive));
    EXPECT_EQ(number_of(held), 1);
    EXPECT_EQ(alive, 2);
    entrance.refresh(held);
    EXPECT_EQ(number_of(held), 2);
    EXPECT_EQ(alive, 2) << "the other one still answers";
    entrance.refresh(other);
    EXPECT_EQ(alive, 1);
}

TEST(Entrance, ManyThreadsSeeNothingThatIsGone) {
    std::atomic<int> alive{0};
    constexpr int changes = 2000;
    Entrance entrance(std::make_shared<Numbered>(0, alive));
    std::atomic<bool> ready{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i)
        readers.emplace_back([&] {
            std::shared_ptr<Service> held;
            int last = 0;
            do {
                entrance.refresh(held);
                ready = true;
                ASSERT_GE(number_of(held), last);
                last = number_of(held);
            } while (last < changes);
        });
    while (!ready) std::this_thread::yield();
    for (int i = 1; i <= changes; ++i) entrance.change(std::make_shared<Numbered>(i, alive));
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(alive, 1);
}

}  // namespace
}  // namespace etage::flow
