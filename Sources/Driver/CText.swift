/// C source text: literals, comments of several lines, and lists that are broken over lines.
enum CText {
  static let width = 116

  /// A string literal with the bytes of `text`.
  static func string(_ text: String) -> String {
    var literal = "\""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): literal += "\\" + String(UnicodeScalar(byte))
      // Two question marks may begin a trigraph.
      case UInt8(ascii: "?"): literal += "\\?"
      case 0x20...0x7E: literal += String(UnicodeScalar(byte))
      default:
        let digits = String(byte, radix: 8)
        literal += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }
    }
    return literal + "\""
  }

  /// A comment, broken over lines of `width` columns.
  static func comment(_ text: String) -> String {
    let lines = filled(text.split(separator: " ").map(String.init), first: "/* ", indent: " * ", separator: " ")
    return lines + " */\n"
  }

  /// `first` and the items behind it, broken before an item that would pass the last column.
  static func filled(_ items: [String], first: String, indent: String, separator: String) -> String {
    var text = ""
    var line = first
    var isEmpty = true
    for (position, item) in items.enumerated() {
      let isLast = position == items.count - 1
      let part = isLast ? item : item + separator
      let length = part.count - (isLast || !separator.hasSuffix(" ") ? 0 : 1)
      if !isEmpty, line.count + length > width {
        while line.hasSuffix(" ") { line.removeLast() }
        text += line + "\n"
        line = indent
      }
      line += part
      isEmpty = false
    }
    return text + line
  }

  /// `{a, b}` on the rest of a line that begins with `before`, or items on lines of their own.
  static func initializer(_ items: [String], before: String) -> String {
    let short = before + "{" + items.joined(separator: ", ") + "};"
    if short.count <= width { return short + "\n" }
    return before + "{\n" + filled(items, first: "    ", indent: "    ", separator: ", ") + ",\n};\n"
  }

  /// `before(items)after` on one line, or the items on lines below.
  static func call(_ before: String, _ items: [String], _ after: String, indent: String) -> String {
    let short = before + "(" + items.joined(separator: ", ") + ")" + after
    if short.count <= width { return short + "\n" }
    return before + "(\n" + filled(items, first: indent, indent: indent, separator: ", ") + ")" + after + "\n"
  }
}
