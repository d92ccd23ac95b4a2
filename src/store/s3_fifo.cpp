#include "store/s3_fifo.hpp"

namespace etage::store {

namespace {

/// The small queue's part of the bytes: 1/10, as in the paper.
constexpr std::size_t small_part = 10;
/// Asked for so often while in the small queue, a shelf goes on to the main queue. Measured on skewed traces, with
/// scans and without (s3_fifo_test.cpp): 1 hits more often than the paper's 2.
constexpr std::uint8_t hits_to_stay = 1;
/// So many of the main queue may be passed over for one that goes; then the oldest goes whatever its hits. Bounds the
/// time under the mutex when everything is hot.
constexpr int second_chances_max = 128;

}  // namespace

Discard::~Discard() {
    while (nodes_ != nullptr) delete std::exchange(nodes_, nodes_->older);
}

S3Fifo::S3Fifo(std::size_t bytes_max)
    : bytes_max_(bytes_max),
      ghost_(bytes_max - bytes_max / small_part),
      fixed_bytes_(base::heap_bytes(sizeof *this) + ghost_.footprint()) {}

S3Fifo::~S3Fifo() {
    Discard discard;
    for (Fifo* queue : {&small_, &main_})
        while (!queue->empty()) {
            Node& node = *queue->oldest();
            queue->unlink(node);
            discard.add(node);
        }
}

base::Ref<const Shelf> S3Fifo::touch(const base::Hash128& hash) noexcept {
    Node* const node = table_.find(hash);
    if (node == nullptr) return nullptr;
    if (node->hits < Node::hits_max) ++node->hits;
    return node->load.shelf;
}

S3Fifo::Peek S3Fifo::peek(const base::Hash128& hash) const noexcept {
    const Node* const node = table_.find(hash);
    return {node != nullptr ? node->load.shelf : nullptr, table_.slots_needed()};
}

bool S3Fifo::exchange(const base::Hash128& hash, const Shelf* expected, const Load& next, Supplies& supplies,
                      Discard& discard) noexcept {
    Node* const node = table_.find(hash);
    if ((node != nullptr ? node->load.shelf.get() : nullptr) != expected) return false;
    if (node == nullptr) return insert(hash, next, supplies, discard);
    replace(*node, next, discard);
    return true;
}

bool S3Fifo::insert(const base::Hash128& hash, const Load& next, Supplies& supplies, Discard& discard) noexcept {
    const std::size_t needed = table_.slots_needed();
    if (supplies.node == nullptr || (needed != 0 && supplies.slots.size() != needed)) return false;
    if (needed != 0) table_.grow(supplies.slots);

    Node& node = *supplies.node.release();
    node.hash = hash;
    node.load = next;
    node.place = ghost_.take(hash) ? Place::main : Place::small;
    // Before it is in: it must not be its own victim.
    make_room(next.bytes, nullptr, discard);
    queue_of(node).push(node);
    table_.insert(node);
    entries_ += next.entries;
    return true;
}

void S3Fifo::replace(Node& node, const Load& next, Discard& discard) noexcept {
    // The caller holds the old shelf too: this reference to it is not the last.
    const Load old = queue_of(node).reload(node, next);
    entries_ += next.entries - old.entries;
    make_room(0, &node, discard);
}

bool S3Fifo::erase(const base::Hash128& hash, const Shelf* expected, Discard& discard) noexcept {
    Node* const node = table_.find(hash);
    if (node == nullptr || node->load.shelf.get() != expected) return false;
    take_out(*node, discard);
    return true;
}

void S3Fifo::make_room(std::size_t bytes, const Node* spared, Discard& discard) noexcept {
    while (this->bytes() + bytes > bytes_max_) {
        const bool small_has = !small_.empty() && !small_.holds_only(spared);
        const bool main_has = !main_.empty() && !main_.holds_only(spared);
        if (!small_has && !main_has) return;
        if (small_has && (small_.bytes() > bytes_max_ / small_part || !main_has))
            leave_small(spared, discard);
        else
            leave_main(spared, discard);
    }
}

void S3Fifo::leave_small(const Node* spared, Discard& discard) noexcept {
    Node& node = *small_.oldest();
    if (&node != spared && node.hits < hits_to_stay) {
        ghost_.insert(node.hash, node.load.bytes);
        evict(node, discard);
        return;
    }
    small_.unlink(node);
    node.place = Place::main;
    node.hits = 0;
    main_.push(node);
}

void S3Fifo::leave_main(const Node* spared, Discard& discard) noexcept {
    for (int chances = second_chances_max;; --chances) {
        Node& node = *main_.oldest();
        if (&node != spared && (node.hits == 0 || chances <= 0)) {
            evict(node, discard);
            return;
        }
        if (node.hits > 0) --node.hits;
        main_.unlink(node);
        main_.push(node);
    }
}

void S3Fifo::evict(Node& node, Discard& discard) noexcept {
    ++evictions_;
    take_out(node, discard);
}

void S3Fifo::take_out(Node& node, Discard& discard) noexcept {
    entries_ -= node.load.entries;
    table_.erase(node);
    queue_of(node).unlink(node);
    discard.add(node);
}

}  // namespace etage::store
