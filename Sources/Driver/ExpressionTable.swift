internal import IR

/// The expressions of a model's table: those of its tensors' extents and of its arena, each once.
struct ExpressionTable {
  private struct Entry {
    var text: String
    var expression: Extent
  }

  private let symbols: [Symbol]
  private var entries: [Entry] = []
  private var indices: [Extent: Int] = [:]

  init(symbols: [Symbol]) { self.symbols = symbols }

  var count: Int { entries.count }

  /// The extent as the table's `extents` say it: a number, or the expression's place.
  mutating func reference(to extent: Extent, text: String? = nil) -> String {
    if let fixed = extent.fixed { return "\(fixed)" }
    if let known = indices[extent], text == nil { return "TFC_EXPRESSION(\(known))" }
    let index = entries.count
    entries.append(Entry(text: text ?? extent.description, expression: extent))
    if text == nil { indices[extent] = index }
    return "TFC_EXPRESSION(\(index))"
  }

  /// The C functions of those expressions that are not linear in one symbol.
  var functions: String {
    var text = ""
    for (index, entry) in entries.enumerated() where linear(entry.expression) == nil {
      text += "static int64_t tfc_expression_\(index)(const int64_t *s) { return \(value(entry.expression)); }\n"
    }
    return text
  }

  /// The rows of `tfc_expressions`.
  var rows: String {
    var text = ""
    for (index, entry) in entries.enumerated() {
      let name = CText.string(entry.text)
      if let (symbol, scale, offset) = linear(entry.expression) {
        text += "    {\(name), \(symbol), \(scale), \(offset), NULL},\n"
      } else {
        text += "    {\(name), -1, 0, 0, tfc_expression_\(index)},\n"
      }
    }
    return text
  }

  private func linear(_ extent: Extent) -> (symbol: Int, scale: Int, offset: Int)? {
    guard extent.terms.count == 1, extent.terms[0].factors.count == 1,
      case .symbol(let symbol) = extent.terms[0].factors[0], let index = symbols.firstIndex(of: symbol)
    else { return nil }
    return (index, extent.terms[0].coefficient, extent.constant)
  }

  /// The expression in C, over the array `s` of the symbols' values.
  func value(_ extent: Extent) -> String {
    var sum = ""
    for term in extent.terms {
      var product = ""
      for factor in term.factors.reversed() {
        let text = value(factor)
        product = product.isEmpty ? text : "tfc_multiply(\(text), \(product))"
      }
      if term.coefficient != 1 { product = "tfc_multiply(\(Self.number(term.coefficient)), \(product))" }
      sum = sum.isEmpty ? product : "tfc_add(\(sum), \(product))"
    }
    if sum.isEmpty { return Self.number(extent.constant) }
    return extent.constant == 0 ? sum : "tfc_add(\(sum), \(Self.number(extent.constant)))"
  }

  private static func number(_ value: Int) -> String { value == .min ? "INT64_MIN" : "\(value)" }

  private func value(_ atom: Extent.Atom) -> String {
    switch atom {
    case .symbol(let symbol):
      guard let index = symbols.firstIndex(of: symbol) else {
        preconditionFailure("the interface has no symbol \(symbol)")
      }
      return "s[\(index)]"
    case .floorDivide(let a, let b): return "tfc_floor_divide(\(value(a)), \(value(b)))"
    case .modulo(let a, let b): return "tfc_modulo(\(value(a)), \(value(b)))"
    case .minimum(let a, let b): return "tfc_minimum(\(value(a)), \(value(b)))"
    case .maximum(let a, let b): return "tfc_maximum(\(value(a)), \(value(b)))"
    case .variable, .element: preconditionFailure("an extent of a tensor depends on symbols only")
    }
  }
}
