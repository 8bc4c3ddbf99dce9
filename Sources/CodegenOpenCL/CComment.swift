/// Text in the comments of C and OpenCL C.
public enum CComment {
  /// `text` on one line of printable ASCII that neither ends a comment nor begins one.
  ///
  /// A name from a model may hold anything: `a**//b` becomes `a** //b`, a backslash becomes a slash, since at the end of a line it
  /// would take the next line into the comment (so would the trigraph of three characters, whose question marks get apart), and other
  /// characters are written by their numbers, as `<U+00E9>`.
  public static func text(_ text: String) -> String {
    var safe = ""
    for scalar in text.unicodeScalars {
      let part = part(scalar)
      if let last = safe.last, apart.contains("\(last)\(part)") { safe += " " }
      safe += part
    }
    return safe
  }

  /// What must not stand side by side.
  private static let apart: Set<String> = ["*/", "/*", "??"]

  private static func part(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\\": return "/"
    case " "..."~": return String(scalar)
    case "\0"..."\u{1F}", "\u{7F}": return " "
    default:
      let digits = String(scalar.value, radix: 16, uppercase: true)
      return "<U+\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)>"
    }
  }
}
