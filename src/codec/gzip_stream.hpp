#pragma once
// gzip (RFC 1952) for streams, through zlib.

#include "codec/coder.hpp"

namespace etage::codec {

/// 0.3 MiB. Null without memory.
std::unique_ptr<Encoder> make_gzip_encoder(Effort effort);

/// 40 KiB. Null without memory.
std::unique_ptr<Decoder> make_gzip_decoder();

}  // namespace etage::codec
