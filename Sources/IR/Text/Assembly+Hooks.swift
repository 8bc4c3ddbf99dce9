extension Assembly.Hook {
  /// The attributes that the hook reads and writes.
  var attributes: Set<String> {
    switch self {
    case .constant: ["value"]
    case .slice: ["start_indices", "limit_indices", "strides"]
    case .comparisonType: ["compare_type"]
    case .dotDimensions: ["dot_dimension_numbers", "precision_config", "algorithm"]
    case .precision: ["precision_config"]
    case .convolution:
      ["dimension_numbers", "window_strides", "padding", "lhs_dilation", "rhs_dilation", "window_reversal"]
    case .reduce: ["dimensions"]
    case .loop: []
    case .sharding: ["sharding"]
    case .reducedFormat: ["exponent_bits", "mantissa_bits"]
    }
  }
}

extension SyntaxParser {
  mutating func parse(_ hook: Assembly.Hook, _ op: inout SyntaxOp) throws(SourceError) {
    switch hook {
    case .constant: try constant(&op)
    case .slice: try sliceBounds(&op)
    case .comparisonType: if try accept(.comma) { op["compare_type"] = try bareAttribute() }
    case .dotDimensions: try dotDimensions(&op)
    case .precision:
      if try accept(.comma) {
        try expect(keyword: "precision")
        try expect(.equal, "=")
        op["precision_config"] = try precisions()
      }
    case .convolution: try convolution(&op)
    case .reduce: try reduce(&op)
    case .loop: try loop(&op)
    case .reducedFormat: try reducedFormat(&op)
    case .sharding:
      if token.kind == .less { try resume(at: try lexer.endOfBrackets(from: token.start, limit: Self.nestingLimit)) }
    }
  }

  /// `dense<1.0> : tensor<f32>`, or, from long ago, `() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>`.
  private mutating func constant(_ op: inout SyntaxOp) throws(SourceError) {
    if try accept(.leftParenthesis) {
      try expect(.rightParenthesis, ")")
      op.attributes += try attributeDictionary()
      try expect(.colon, ":")
      (_, op.resultTypes) = try functionType()
      return
    }
    let start = token.start
    let value = try attribute()
    op["value"] = value
    switch value {
    case .dense(let literal): op.resultTypes = [.tensor(literal.dimensions, literal.elementType)]
    case .resource(_, let type, _): op.resultTypes = [type]
    case .alias: throw source.error("the value of a constant is not known here", at: start)
    default: throw source.error("a constant has a dense value", at: start)
    }
  }

  /// `[0:4, 1:8:2]`
  private mutating func sliceBounds(_ op: inout SyntaxOp) throws(SourceError) {
    let bounds = try bracketed { (parser) throws(SourceError) -> [Int64] in
      let start = try parser.integer("a start")
      try parser.expect(.colon, ":")
      let limit = try parser.integer("a limit")
      let stride = try parser.accept(.colon) ? try parser.integer("a stride") : 1
      return [Int64(start), Int64(limit), Int64(stride)]
    }
    op["start_indices"] = .integers(bounds.map { $0[0] })
    op["limit_indices"] = .integers(bounds.map { $0[1] })
    op["strides"] = .integers(bounds.map { $0[2] })
  }

  /// `, batching_dims = [0] x [0], contracting_dims = [2] x [1], precision = [DEFAULT, DEFAULT]`
  private mutating func dotDimensions(_ op: inout SyntaxOp) throws(SourceError) {
    var fields: [String: [Int64]] = [:]
    while try accept(.comma) {
      let key = try identifier("a property of the product")
      try expect(.equal, "=")
      switch key {
      case "batching_dims", "contracting_dims":
        let name = key == "batching_dims" ? "batching_dimensions" : "contracting_dimensions"
        guard case .integers(let lhs, _) = try integerList() else { continue }
        try expect(keyword: "x")
        guard case .integers(let rhs, _) = try integerList() else { continue }
        fields["lhs_\(name)"] = lhs
        fields["rhs_\(name)"] = rhs
      case "precision": op["precision_config"] = try precisions()
      case "algorithm":
        guard token.kind == .less else { throw error("expected '<', found \(tokenDescription)") }
        let close = try lexer.endOfBrackets(from: token.start, limit: Self.nestingLimit)
        op["algorithm"] = .dialect("stablehlo.dot_algorithm", body: source.string(token.end..<close - 1))
        try resume(at: close)
      default: throw error("a product has no '\(key)'")
      }
    }
    op["dot_dimension_numbers"] = .dialect("stablehlo.dot", body: DialectBody(lists: fields).text)
  }

  private mutating func precisions() throws(SourceError) -> AttributeSyntax {
    .array(
      try bracketed { (parser) throws(SourceError) in
        .enumeration(kind: "stablehlo<precision", try parser.identifier("a precision"))
      })
  }

  /// `(%x, %k) dim_numbers = [b, 0, f]x[0, i, o]->[b, 0, f], window = {stride = [2], pad = [[1, 1]]}`
  private mutating func convolution(_ op: inout SyntaxOp) throws(SourceError) {
    op.operands = try parenthesized { (parser) throws(SourceError) in try parser.use() }
    try expect(keyword: "dim_numbers")
    guard token.kind == .equal else { throw error("expected '=', found \(tokenDescription)") }
    var end = token.end
    var brackets = 0
    while brackets < 3 {
      guard end < source.bytes.count, source.bytes[end] != UInt8(ascii: "\n") else {
        throw error("expected dimension numbers, such as [b, 0, f]x[0, i, o]->[b, 0, f]")
      }
      if source.bytes[end] == UInt8(ascii: "]") { brackets += 1 }
      end += 1
    }
    let body = source.string(token.end..<end).split(separator: " ").joined(separator: " ")
    op["dimension_numbers"] = .dialect("stablehlo.conv", body: body)
    try resume(at: end)
    try expect(.comma, ",")
    try expect(keyword: "window")
    try expect(.equal, "=")
    let window = try list((.leftBrace, "{"), (.rightBrace, "}")) { (parser) throws(SourceError) -> NamedAttribute in
      let key = try parser.identifier("a property of the window")
      try parser.expect(.equal, "=")
      if key == "pad" {
        let pairs = try parser.bracketed { (parser) throws(SourceError) in try parser.integerList() }
        return NamedAttribute(name: "padding", value: .array(pairs))
      }
      let name = [
        "stride": "window_strides", "lhs_dilate": "lhs_dilation", "rhs_dilate": "rhs_dilation",
        "reverse": "window_reversal",
      ][key]
      guard let name else { throw parser.error("a window has no '\(key)'") }
      return NamedAttribute(name: name, value: try parser.integerList())
    }
    op.attributes += window
  }

  /// `(%x init: %c), (%y init: %d) across dimensions = [0] : types reducer(%a: t, %b: t) … { … }`,
  /// or `(%x init: %c) applies stablehlo.add across dimensions = [0] : types`.
  private mutating func reduce(_ op: inout SyntaxOp) throws(SourceError) {
    var inputs: [SyntaxUse] = []
    var initial: [SyntaxUse] = []
    repeat {
      try expect(.leftParenthesis, "(")
      inputs.append(try use())
      try expect(keyword: "init")
      try expect(.colon, ":")
      initial.append(try use())
      try expect(.rightParenthesis, ")")
    } while try accept(.comma)
    op.operands = inputs + initial
    let appliedAt = token.start
    var applied: String?
    if try accept(keyword: "applies") { applied = Self.canonicalName(try identifier("an op")) }
    try expect(keyword: "across")
    try expect(keyword: "dimensions")
    try expect(.equal, "=")
    op["dimensions"] = try integerList()
    if token.kind == .leftBrace { op.attributes += try attributeDictionary() }
    try expect(.colon, ":")
    try types(.functional, of: &op)
    if let applied {
      guard inputs.count == 1, let type = op.operandTypes.last else {
        throw source.error("'applies' stands for the body of one input", at: appliedAt)
      }
      op.regions = [Self.body(applying: applied, type, at: appliedAt)]
      return
    }
    try expect(keyword: "reducer")
    var accumulators: [SyntaxArgument] = []
    var elements: [SyntaxArgument] = []
    while token.kind == .leftParenthesis {
      let pair = try parenthesized { (parser) throws(SourceError) in try parser.argument() }
      guard pair.count == 2 else { throw error("a reducer takes pairs of accumulator and element") }
      accumulators.append(pair[0])
      elements.append(pair[1])
    }
    _ = try trailingLocation()
    op.regions = [try region(arguments: accumulators + elements)]
  }

  /// A body of one op on an accumulator and an element, both of the initial value's type.
  private static func body(applying name: String, _ type: TypeSyntax, at position: Int) -> SyntaxRegion {
    let arguments = ["lhs", "rhs"].map { SyntaxArgument(name: $0, type: type, position: position) }
    var op = SyntaxOp(name: name, position: position)
    op.operands = arguments.map { SyntaxUse(name: $0.name, position: position) }
    op.operandTypes = [type, type]
    op.results = [SyntaxDefinition(name: "applied", position: position)]
    op.resultTypes = [type]
    var end = SyntaxOp(name: "stablehlo.return", position: position)
    end.operands = [SyntaxUse(name: "applied", position: position)]
    end.operandTypes = [type]
    return SyntaxRegion(blocks: [SyntaxBlock(arguments: arguments, ops: [op, end])])
  }

  /// `(%a = %x, %b = %y) : types attributes {…} cond { … } do { … }`
  private mutating func loop(_ op: inout SyntaxOp) throws(SourceError) {
    var arguments: [SyntaxArgument] = []
    op.operands = try parenthesized { (parser) throws(SourceError) -> SyntaxUse in
      guard parser.token.kind == .valueName else {
        throw parser.error("expected an argument, found \(parser.tokenDescription)")
      }
      let (name, position) = (parser.text(parser.token), parser.token.start)
      try parser.advance()
      try parser.expect(.equal, "=")
      arguments.append(SyntaxArgument(name: name, type: .tuple([]), position: position))
      let use = try parser.use()
      arguments[arguments.count - 1].location = try parser.trailingLocation()
      return use
    }
    if try accept(.colon) { try types(.pairwise, of: &op) }
    guard op.operandTypes.count == arguments.count else {
      throw error("'stablehlo.while' has \(arguments.count) operands and \(op.operandTypes.count) types")
    }
    for (position, type) in op.operandTypes.enumerated() { arguments[position].type = type }
    if try accept(keyword: "attributes") { op.attributes += try attributeDictionary() }
    try expect(keyword: "cond")
    let condition = try region(arguments: arguments)
    try expect(keyword: "do")
    op.regions = [condition, try region(arguments: arguments)]
  }

  /// `e5m10`
  private mutating func reducedFormat(_ op: inout SyntaxOp) throws(SourceError) {
    let start = token.start
    let parts = try identifier("a format").dropFirst().split(separator: "m", omittingEmptySubsequences: false)
    guard source.bytes[start] == UInt8(ascii: "e"), parts.count == 2, let exponent = Int64(parts[0]),
      let mantissa = Int64(parts[1])
    else { throw source.error("expected a format such as e5m10", at: start) }
    op["exponent_bits"] = .integer(exponent, "i32")
    op["mantissa_bits"] = .integer(mantissa, "i32")
  }
}

/// The `key = value, key = value` inside an attribute such as `#stablehlo.gather<…>`.
struct DialectBody {
  private(set) var fields: [(key: String, value: String)] = []

  init(_ text: String) {
    var depth = 0
    var field = ""
    for character in text + "," {
      if character == "," && depth == 0 {
        let parts = field.split(separator: "=", maxSplits: 1).map { $0.trimmingBlanks }
        if parts.count == 2 { fields.append((parts[0], parts[1])) }
        field = ""
        continue
      }
      if "[<({".contains(character) { depth += 1 }
      if "]>)}".contains(character) { depth -= 1 }
      field.append(character)
    }
  }

  /// Lists that are empty are left out, as MLIR does.
  init(lists: [String: [Int64]]) {
    for (key, values) in lists.sorted(by: { $0.key < $1.key }) where !values.isEmpty {
      fields.append((key, "[\(values.map(\.description).joined(separator: ", "))]"))
    }
  }

  mutating func append(_ key: String, _ value: Int) { fields.append((key, "\(value)")) }
  mutating func append(_ key: String, _ values: [Int]) { fields.append((key, "\(values)")) }

  var text: String { fields.map { "\($0.key) = \($0.value)" }.joined(separator: ", ") }

  /// The integers of a field, `[0, 1]` or `0`; none where the field is missing; nil where it holds something else.
  func integers(_ key: String) -> [Int]? {
    guard let value = fields.first(where: { $0.key == key })?.value else { return [] }
    var inner = Substring(value)
    if inner.first == "[", inner.last == "]" { inner = inner.dropFirst().dropLast() }
    var result: [Int] = []
    for part in inner.split(separator: ",") {
      guard let integer = Int(part.trimmingBlanks) else { return nil }
      result.append(integer)
    }
    return result
  }
}

extension Substring {
  var trimmingBlanks: String {
    var rest = drop { $0 == " " || $0 == "\n" }
    while rest.last == " " || rest.last == "\n" { rest.removeLast() }
    return String(rest)
  }
}
