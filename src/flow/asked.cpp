#include "flow/asked.hpp"

namespace etage::flow {

Asked::Asked(const http::RequestHead& request, std::string_view scheme)
    : fields_(request.fields),
      method_text_(request.method_text),
      target_(request.target),
      authority_(request.authority),
      path_(request.path),
      query_(request.query),
      scheme_(scheme),
      head_(request) {
    head_.method_text = method_text_;
    head_.target = target_;
    head_.scheme = {};
    head_.authority = authority_;
    head_.path = path_;
    head_.query = query_;
    head_.fields = fields_.span();
}

}  // namespace etage::flow
