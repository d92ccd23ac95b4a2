#include "codec/compressible.hpp"

#include <gtest/gtest.h>

namespace etage::codec {
namespace {

TEST(Compressible, TextAndWhatReadsLikeIt) {
    for (const char* type : {"text/html",
                             "text/plain; charset=utf-8",
                             "TEXT/CSS",
                             "text/javascript",
                             "text/x-anything",
                             "text/csv",
                             "text/markdown",
                             "text/vcard",
                             "application/json",
                             "Application/JSON;charset=UTF-8",
                             " application/json ; a=b",
                             "application/json5",
                             "application/jsonl",
                             "application/javascript",
                             "application/x-javascript",
                             "application/xml",
                             "application/x-ndjson",
                             "application/yaml",
                             "application/sql",
                             "application/toml",
                             "application/vnd.apple.mpegurl",
                             "application/graphql"})
        EXPECT_TRUE(is_compressible(type)) << type;
}

TEST(CompressibleRfc6838, Section4_2_8_TheSuffixSaysHowItIsWritten) {
    for (const char* type :
         {"application/problem+json", "application/vnd.api+JSON", "application/ld+json; profile=\"a;b\"",
          "application/geo+json", "application/geo+json-seq", "application/manifest+json",
          "application/vnd.github.v3+json", "application/atom+xml", "application/rss+xml", "application/xhtml+xml",
          "application/dash+xml", "image/svg+xml", "model/x3d+xml", "application/vnd.oai.openapi+yaml"})
        EXPECT_TRUE(is_compressible(type)) << type;
    for (const char* type : {"application/vnd.oasis+zip", "application/x+gzip", "application/x+zstd",
                             "application/senml+cbor", "image/svg+xmlx", "application/a+json+zip"})
        EXPECT_FALSE(is_compressible(type)) << type;
}

TEST(Compressible, ProgramsFontsAndPicturesThatNobodyCompressed) {
    for (const char* type :
         {"application/wasm", "font/ttf", "font/otf", "font/collection", "font/sfnt", "application/vnd.ms-fontobject",
          "application/x-font-ttf", "image/bmp", "image/x-icon", "image/vnd.microsoft.icon"})
        EXPECT_TRUE(is_compressible(type)) << type;
    for (const char* type : {"font/woff", "font/woff2", "application/font-woff", "application/font-woff2"})
        EXPECT_FALSE(is_compressible(type)) << type;
}

TEST(Compressible, NotWhatIsCompressedOrMustNotWait) {
    for (const char* type : {"",
                             " ",
                             ";",
                             "image/png",
                             "image/jpeg",
                             "image/webp",
                             "image/avif",
                             "image/gif",
                             "image/svg",
                             "video/mp4",
                             "audio/ogg",
                             "application/zip",
                             "application/gzip",
                             "application/zstd",
                             "application/pdf",
                             "application/octet-stream",
                             "application/grpc",
                             "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                             "text",
                             "texts/html",
                             "text/event-stream",
                             "Text/Event-Stream; charset=utf-8",
                             "+json",
                             "application/jsonx",
                             "multipart/form-data",
                             "application/x-json-compressed",
                             "image/png; x=text/html",
                             "application json"})
        EXPECT_FALSE(is_compressible(type)) << type;
}

}  // namespace
}  // namespace etage::codec
