// SPDX-License-Identifier: Apache-2.0
// A picture of the medians: per bundle a group of bars for each operation, a bar per runtime, cut where it is
// much longer than those of davit.
#include <stdio.h>

#include <algorithm>

#include "bench.hpp"

namespace davit::bench {
namespace {

constexpr int kLabels = 90, kBars = 560, kWidth = 720, kBar = 13, kGap = 12;
constexpr const char* kColours[] = {"#8c959f", "#c4cbd2", "#0969da", "#bf8700",
                                    "#cf222e", "#8250df", "#1a7f37"};

struct Picture {
  std::string body;
  int y = 0;

  void text(int x, const char* anchor, const std::string& words) {
    char begin[96];
    snprintf(begin, sizeof begin, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">", x, y + kBar - 3, anchor);
    body += begin + escaped(words) + "</text>\n";
  }
  void bar(int x, int width, const char* colour) {
    char line[128];
    snprintf(line, sizeof line, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n", x, y,
             width, kBar - 2, colour);
    body += line;
  }
  static std::string escaped(const std::string& words) {
    std::string made;
    for (const char c : words)
      made += c == '<' ? std::string("&lt;") : c == '&' ? std::string("&amp;") : std::string(1, c);
    return made;
  }
};

const char* colour_of(size_t runtime) {
  return kColours[runtime % (sizeof kColours / sizeof *kColours)];
}

void draw_legend(Picture& picture, const Options& options) {
  int x = kLabels;
  for (size_t i = 0; i < options.runtimes.size(); i++, x += 105) {
    picture.bar(x, kBar, colour_of(i));
    picture.text(x + kBar + 4, "start", options.runtimes[i].label);
  }
  picture.y += kBar + kGap;
}

void draw_bundle(Picture& picture, const Options& options, const Results& results, const std::string& bundle,
                 double full) {
  picture.text(0, "start", bundle + ", wall ms");
  picture.y += kBar + kGap / 2;
  for (int i = 0; i < kOperations; i++) {
    if (!options.wanted[i]) continue;
    picture.text(kLabels - 8, "end", kOperationNames[i]);
    for (size_t number = 0; number < options.runtimes.size(); number++) {
      const auto found =
          results.series.find(key(options.runtimes[number], bundle, static_cast<Operation>(i)));
      if (found == results.series.end() || found->second.wall.empty()) continue;
      const double value = median(found->second.wall);
      const int width = static_cast<int>(kBars * std::min(1.0, value / full));
      char words[32];
      snprintf(words, sizeof words, value > full ? "%.1f, cut" : "%.2f", value);
      picture.bar(kLabels, std::max(1, width), colour_of(number));
      picture.text(kLabels + width + 4, "start", words);
      picture.y += kBar;
    }
    picture.y += kGap;
  }
}

// Three times the longest of davit: what takes longer has no more to say by its length.
double full_length(const Options& options, const Results& results) {
  double longest = 0;
  for (const Runtime& runtime : options.runtimes)
    for (const std::string& bundle : options.bundles)
      for (int i = 0; i < kOperations; i++) {
        const auto found = results.series.find(key(runtime, bundle, static_cast<Operation>(i)));
        if (runtime.role == Role::kDavit && found != results.series.end() && !found->second.wall.empty())
          longest = std::max(longest, median(found->second.wall));
      }
  return longest > 0 ? 3 * longest : 50;
}

}  // namespace

void write_plot(const Options& options, const Results& results) {
  if (options.svg.empty()) return;
  FILE* file = fopen(options.svg.c_str(), "we");
  if (file == nullptr) return perror(options.svg.c_str());
  Picture picture;
  picture.y = kGap;
  draw_legend(picture, options);
  for (const std::string& bundle : options.bundles)
    draw_bundle(picture, options, results, bundle, full_length(options, results));
  fprintf(file,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" "
          "font-size=\"11\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n%s</svg>\n",
          kWidth, picture.y + kGap, picture.body.c_str());
  fclose(file);
}

}  // namespace davit::bench
