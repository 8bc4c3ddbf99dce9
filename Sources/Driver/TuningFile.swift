internal import Codegen
internal import Foundation

/// A file with what tuning has found, for people to read and for later compiles.
///
///     tfc tuning 1
///     target vector=64 registers=32 fma=1 tiles=none l1=49152 l2=2097152
///     tile=3: contraction func.func @graph(%arg0: tensor<128x384xf32>, ...
///
/// A line after a target names the variant that a fusion uses on such machines, then the fusion. Empty lines and lines that
/// begin with `#` are left out.
struct TuningFile {
  /// By target and fusion.
  var variants: [String: [String: Variant]] = [:]

  private static let heading = "tfc tuning 1"

  init() {}

  /// Throws where the file is not of this form, is of another version, or names a fusion twice.
  init(reading path: String) throws(Failure) {
    guard let text = String(data: try Files.read(path), encoding: .utf8) else {
      throw .refused("it is not text", place: path)
    }
    var target: String?
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      func refused(_ message: String) -> Failure { .refused(message, place: "\(path):\(number + 1)") }
      if number == 0 {
        guard line == Self.heading else { throw refused("the file does not begin with '\(Self.heading)'") }
        continue
      }
      if line.isEmpty || line.hasPrefix("#") { continue }
      if line.hasPrefix("target ") {
        target = String(line.dropFirst("target ".count))
        continue
      }
      guard let target else { throw refused("a fusion stands before the first target") }
      guard let colon = line.firstRange(of: ": ") else { throw refused("expected a variant, a colon and a fusion") }
      let name = line[..<colon.lowerBound].prefix(40)
      guard let variant = Variant(String(name)) else { throw refused("there is no variant '\(name)'") }
      let request = String(line[colon.upperBound...])
      guard variants[target, default: [:]].updateValue(variant, forKey: request) == nil else {
        throw refused("the fusion is named twice")
      }
    }
    if text.isEmpty { throw .refused("the file does not begin with '\(Self.heading)'", place: "\(path):1") }
  }

  /// What it says for a target.
  func tuning(for target: Target) -> Tuning { Tuning(variants: variants[target.text] ?? [:]) }

  mutating func set(_ variant: Variant, _ request: String, for target: Target) {
    variants[target.text, default: [:]][request] = variant
  }

  var text: String {
    var lines = [Self.heading]
    for (target, requests) in variants.sorted(by: { $0.key < $1.key }) {
      lines.append("target \(target)")
      lines += requests.sorted { $0.key < $1.key }.map { "\($0.value): \($0.key)" }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
