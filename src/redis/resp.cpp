#include "redis/resp.hpp"

#include <hiredis/read.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <utility>

namespace etage::redis {

namespace {

void append_number(std::string& out, std::size_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

}  // namespace

void append_word(std::string& out, std::string_view word) {
    out += '$';
    append_number(out, word.size());
    out += "\r\n";
    out += word;
    out += "\r\n";
}

void append_word_count(std::string& out, std::size_t words) {
    out += '*';
    append_number(out, words);
    out += "\r\n";
}

/// What hiredis calls for everything it finds. A null pointer from here is its error for "out of memory".
struct ReplyBuilder {
    static ReplyReader& reader_of(const redisReadTask* task) { return *static_cast<ReplyReader*>(task->privdata); }

    /// Where the reply of this task is built: the root, or a new last element of its parent. The parent's earlier
    /// elements may move, but they are complete; hiredis holds pointers to what is incomplete only.
    static Reply* place(const redisReadTask* task, Reply::Kind kind) {
        ReplyReader& reader = reader_of(task);
        Reply* reply = &reader.root_;
        if (task->parent != nullptr) {
            if (++reader.elements_ > ReplyReader::elements_max) return nullptr;
            reply = &static_cast<Reply*>(task->parent->obj)->elements.emplace_back();
        } else {
            *reply = Reply{};
        }
        reply->kind = kind;
        return reply;
    }

    static Reply::Kind kind_of(int type) {
        if (type == REDIS_REPLY_STATUS) return Reply::Kind::status;
        return type == REDIS_REPLY_ERROR ? Reply::Kind::error : Reply::Kind::bulk;
    }

    static void* string(const redisReadTask* task, char* text, std::size_t size) noexcept try {
        Reply* const reply = place(task, kind_of(task->type));
        if (reply != nullptr) reply->text.assign(text, size);
        return reply;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }

    static void* array(const redisReadTask* task, int elements) noexcept try {
        // Announced is not sent: memory is taken as elements come.
        constexpr int reserved_max = 64;
        if (elements < 0 || static_cast<std::size_t>(elements) > ReplyReader::elements_max) return nullptr;
        Reply* const reply = place(task, Reply::Kind::array);
        if (reply != nullptr) reply->elements.reserve(static_cast<std::size_t>(std::min(elements, reserved_max)));
        return reply;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }

    static void* integer(const redisReadTask* task, long long value) noexcept try {
        Reply* const reply = place(task, Reply::Kind::integer);
        if (reply != nullptr) reply->integer = value;
        return reply;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }

    static void* nil(const redisReadTask* task) noexcept try {
        return place(task, Reply::Kind::nil);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }

    static void keep(void*) noexcept {}  // the reader of replies owns them all
};

namespace {

redisReader* make_reader() {
    // hiredis takes a pointer to what it never writes.
    static constinit redisReplyObjectFunctions builder = {ReplyBuilder::string, ReplyBuilder::array,
                                                          ReplyBuilder::integer, ReplyBuilder::nil, ReplyBuilder::keep};
    redisReader* const reader = redisReaderCreateWithFunctions(&builder);
    if (reader == nullptr) throw std::bad_alloc();
    return reader;
}

}  // namespace

void ReplyReader::Free::operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }

ReplyReader::ReplyReader(std::size_t reply_bytes_max) : reader_(make_reader()), reply_bytes_max_(reply_bytes_max) {
    reader_->privdata = this;
    // An empty buffer of more than 16 KiB would be given back before the next bytes come.
    reader_->maxbuf = std::size_t{1} << 20;
}

ReplyReader::~ReplyReader() = default;

bool ReplyReader::feed(std::string_view slice) {
    pending_bytes_ += slice.size();
    if (error_.empty() && redisReaderFeed(reader_.get(), slice.data(), slice.size()) != REDIS_OK)
        error_ = reader_->errstr;
    return error_.empty();
}

Reply* ReplyReader::next() {
    void* found = nullptr;
    if (redisReaderGetReply(reader_.get(), &found) != REDIS_OK) {
        error_ = elements_ > elements_max || reader_->err == REDIS_ERR_OOM ? "a reply with too many elements"
                                                                           : reader_->errstr;
        return nullptr;
    }
    if (found == nullptr) {
        if (pending_bytes_ > reply_bytes_max_)
            error_ = "a reply of more than " + std::to_string(reply_bytes_max_) + " bytes";
        return nullptr;
    }
    pending_bytes_ = reader_->len - reader_->pos;
    elements_ = 0;
    return &root_;
}

}  // namespace etage::redis
