/// Why a file is refused: a place and a sentence, or a list of what tfc does not implement.
public struct SourceError: Error, Hashable, Sendable {
  /// Where in the file something stands.
  public enum Place: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Both counted from 1, the column in bytes.
    case text(line: Int, column: Int)
    /// Counted from 0.
    case byte(Int)

    public var description: String {
      switch self {
      case .text(let line, let column): "\(line):\(column)"
      case .byte(let offset): "byte \(offset)"
      }
    }
  }

  /// An op that tfc does not implement, with its place.
  public struct Unsupported: Hashable, Sendable, CustomStringConvertible {
    /// The op's name, and what of it is unsupported where that is not the whole op.
    public var feature: String
    public var fileName: String
    public var place: Place

    public var description: String { "unsupported: \(feature) (\(fileName):\(place))" }
  }

  /// The line of a text that an error is about, shortened around its column.
  public struct Excerpt: Hashable, Sendable {
    public var line: String
    /// How many columns of the line come before the error.
    public var caret: Int

    /// The line, and under it a caret.
    public var lines: [String] { [line, String(repeating: " ", count: caret) + "^"] }
  }

  public var fileName: String
  public var place: Place
  public var message: String
  /// Nil where the file is no text.
  public var excerpt: Excerpt?
  /// Everything in the file that is unsupported, if that is the reason; in order.
  public var unsupported: [Unsupported] = []
}

extension SourceError: CustomStringConvertible {
  /// `FILE:LINE:COLUMN: error: MESSAGE`, the line and a caret; or one line for each unsupported op.
  public var description: String {
    if !unsupported.isEmpty { return unsupported.map(\.description).joined(separator: "\n") }
    let lines = ["\(fileName):\(place): error: \(message)"] + (excerpt?.lines ?? [])
    return lines.joined(separator: "\n")
  }
}

/// The bytes of a file and, where it is text, where its lines begin.
struct SourceFile: Sendable {
  let fileName: String
  let bytes: [UInt8]
  /// Empty where the file is no text.
  private let lineStarts: [Int]

  init(_ text: String, fileName: String) {
    self.fileName = fileName
    bytes = Array(text.utf8)
    var starts = [0]
    for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") { starts.append(offset + 1) }
    lineStarts = starts
  }

  /// A file that is no text.
  init(bytecode bytes: [UInt8], fileName: String) {
    self.fileName = fileName
    self.bytes = bytes
    lineStarts = []
  }

  /// O(log lines).
  func place(of offset: Int) -> SourceError.Place {
    guard !lineStarts.isEmpty else { return .byte(offset) }
    let (line, column) = lineAndColumn(of: offset)
    return .text(line: line, column: column)
  }

  private func lineAndColumn(of offset: Int) -> (line: Int, column: Int) {
    var (low, high) = (0, lineStarts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return (low + 1, offset - lineStarts[low] + 1)
  }

  func location(of offset: Int) -> Location {
    switch place(of: offset) {
    case .text(let line, let column): .file(fileName, line: line, column: column)
    case .byte: .name("\(fileName):\(place(of: offset))", .unknown)
    }
  }

  func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  func error(_ message: String, at offset: Int) -> SourceError {
    SourceError(fileName: fileName, place: place(of: offset), message: message, excerpt: excerpt(around: offset))
  }

  private func excerpt(around offset: Int) -> SourceError.Excerpt? {
    guard !lineStarts.isEmpty else { return nil }
    let (line, _) = lineAndColumn(of: offset)
    let start = lineStarts[line - 1]
    var end = line < lineStarts.count ? lineStarts[line] - 1 : bytes.count
    // Lines with long literals are shown around the place only.
    let first = max(start, offset - 100)
    end = max(first, min(end, offset + 60))
    var caret = 0
    for byte in bytes[first..<min(max(offset, first), bytes.count)] where byte & 0xC0 != 0x80 { caret += 1 }
    return SourceError.Excerpt(line: string(first..<end).replacingTabs, caret: caret)
  }

  func unsupported(_ feature: String, at offset: Int) -> SourceError.Unsupported {
    SourceError.Unsupported(feature: feature, fileName: fileName, place: place(of: offset))
  }

  /// Refuses tensors whose bytes cannot be counted.
  func checkTensor(_ dimensions: [Int?], at offset: Int) throws(SourceError) {
    guard dimensions.count <= 64 else { throw error("a tensor has at most 64 dimensions", at: offset) }
    var count = 16
    for case let extent? in dimensions where extent != 0 {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow { throw error("a tensor with so many elements does not fit in memory", at: offset) }
      count = product
    }
  }
}

extension String {
  fileprivate var replacingTabs: String { String(map { $0 == "\t" || $0 == "\r" ? " " : $0 }) }
}
