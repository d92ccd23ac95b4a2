#pragma once
// A descriptor in reserve: given up for as long as it takes to let a client in and hang up on it.
//
// Concurrency · Any thread; one at a time. What this does not promise · Whoever opens something in that moment may be
// quicker, and then there is no reserve. A client who is let in with it is found by keep(), and gives it back.

#include <mutex>

namespace etage::serve {

class Reserve {
public:
    Reserve() noexcept { take(); }
    ~Reserve() { give_up(); }
    Reserve(const Reserve&) = delete;
    Reserve& operator=(const Reserve&) = delete;

    /// False: nobody waits at this listening socket, or there was no descriptor to let them in with.
    bool hang_up_on_one(int listening) noexcept;
    /// False: there is no reserve, and no descriptor for one.
    bool keep() noexcept;

private:
    void take() noexcept;
    void give_up() noexcept;

    std::mutex mutex_;
    int descriptor_ = -1;
};

}  // namespace etage::serve
