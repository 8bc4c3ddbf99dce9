/// Why a text is refused: a place and a sentence, or a list of what tfc does not implement.
public struct TextError: Error, Hashable, Sendable {
  /// An op that tfc does not implement, with its place.
  public struct Unsupported: Hashable, Sendable, CustomStringConvertible {
    /// The op's name, and what of it is unsupported where that is not the whole op.
    public var feature: String
    public var fileName: String
    /// Counted from 1.
    public var line: Int
    public var column: Int

    public var description: String { "unsupported: \(feature) (\(fileName):\(line):\(column))" }
  }

  public var fileName: String
  /// Counted from 1.
  public var line: Int
  /// In bytes, counted from 1.
  public var column: Int
  public var message: String
  /// The line of the text that the error is about, shortened around the column.
  public var excerpt: String
  /// How many columns of `excerpt` come before the error.
  public var caret: Int
  /// Everything in the text that is unsupported, if that is the reason; in order.
  public var unsupported: [Unsupported] = []
}

extension TextError: CustomStringConvertible {
  /// `FILE:LINE:COLUMN: error: MESSAGE`, the line and a caret; or one line for each unsupported op.
  public var description: String {
    if !unsupported.isEmpty { return unsupported.map(\.description).joined(separator: "\n") }
    let pointer = String(repeating: " ", count: caret) + "^"
    return "\(fileName):\(line):\(column): error: \(message)\n\(excerpt)\n\(pointer)"
  }
}

/// The bytes of a text and where its lines begin.
struct SourceText: Sendable {
  let fileName: String
  let bytes: [UInt8]
  private let lineStarts: [Int]

  init(_ text: String, fileName: String) {
    self.fileName = fileName
    bytes = Array(text.utf8)
    var starts = [0]
    for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") { starts.append(offset + 1) }
    lineStarts = starts
  }

  /// Line and column, both counted from 1. O(log lines).
  func place(of offset: Int) -> (line: Int, column: Int) {
    var (low, high) = (0, lineStarts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return (low + 1, offset - lineStarts[low] + 1)
  }

  func location(of offset: Int) -> Location {
    let (line, column) = place(of: offset)
    return .file(fileName, line: line, column: column)
  }

  func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  func error(_ message: String, at offset: Int) -> TextError {
    let (line, column) = place(of: offset)
    let start = lineStarts[line - 1]
    var end = line < lineStarts.count ? lineStarts[line] - 1 : bytes.count
    // Lines with long literals are shown around the place only.
    let first = max(start, offset - 100)
    end = max(first, min(end, offset + 60))
    var caret = 0
    for byte in bytes[first..<min(max(offset, first), bytes.count)] where byte & 0xC0 != 0x80 { caret += 1 }
    let excerpt = string(first..<end).replacingTabs
    return TextError(
      fileName: fileName, line: line, column: column, message: message, excerpt: excerpt, caret: caret)
  }

  func unsupported(_ feature: String, at offset: Int) -> TextError.Unsupported {
    let (line, column) = place(of: offset)
    return TextError.Unsupported(feature: feature, fileName: fileName, line: line, column: column)
  }
}

extension String {
  fileprivate var replacingTabs: String { String(map { $0 == "\t" || $0 == "\r" ? " " : $0 }) }
}
