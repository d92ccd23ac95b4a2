#pragma once
// For tests: an authority of our own, and the certificates it signs, as PEM files in a directory of their own.

#include <asio/ssl.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace etage::net {

class Authority {
public:
    explicit Authority(const std::string& name = "authority of the tests") : key_(EVP_EC_gen("P-256")) {
        char pattern[] = "/tmp/etage-tls-XXXXXX";
        if (::mkdtemp(pattern) == nullptr) throw std::runtime_error("no directory for certificates");
        directory_ = pattern;
        certificate_ = make(name, "", key_.get(), nullptr);
        write(path("ca.pem"), certificate_.get());
    }
    ~Authority() {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;

    std::string ca() const { return path("ca.pem"); }
    std::string certificate(const std::string& name) const { return path(name + ".pem"); }
    std::string key(const std::string& name) const { return path(name + ".key"); }

    /// Files `name`.pem and `name`.key. `for_whom`: "DNS:localhost,IP:127.0.0.1".
    void issue(const std::string& name, const std::string& for_whom, bool expired = false) {
        const Key key(EVP_EC_gen("P-256"));
        write(certificate(name), make(name, for_whom, key.get(), certificate_.get(), expired).get());
        const File file(std::fopen(this->key(name).c_str(), "w"));
        PEM_write_PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    }

private:
    template <auto free>
    struct Free {
        template <class T>
        void operator()(T* what) const noexcept {
            (void)free(what);
        }
    };
    using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
    using Certificate = std::unique_ptr<X509, Free<X509_free>>;
    using File = std::unique_ptr<std::FILE, Free<std::fclose>>;

    std::string path(const std::string& file) const { return directory_ + "/" + file; }

    static void write(const std::string& path, X509* certificate) {
        const File file(std::fopen(path.c_str(), "w"));
        PEM_write_X509(file.get(), certificate);
    }

    static void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
        X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
        if (extension == nullptr) throw std::runtime_error("no extension " + value);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }

    /// Signed by `issuer`, or by itself.
    Certificate make(const std::string& name, const std::string& for_whom, EVP_PKEY* key, X509* issuer,
                     bool expired = false) {
        Certificate made(X509_new());
        X509* const x = made.get();
        X509_set_version(x, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial_);
        X509_gmtime_adj(X509_getm_notBefore(x), -7200);
        X509_gmtime_adj(X509_getm_notAfter(x), expired ? -3600 : 3600);
        X509_set_pubkey(x, key);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
        X509_set_issuer_name(x, X509_get_subject_name(issuer != nullptr ? issuer : x));
        if (issuer == nullptr) extend(x, x, NID_basic_constraints, "critical,CA:TRUE");
        if (!for_whom.empty()) extend(x, issuer, NID_subject_alt_name, for_whom);
        X509_sign(x, issuer != nullptr ? key_.get() : key, EVP_sha256());
        return made;
    }

    std::string directory_;
    Key key_;
    Certificate certificate_;
    long serial_ = 0;
};

}  // namespace etage::net
