/// How an op is written: the one declaration from which generic form, pretty form and printing follow.
struct TextForm: Sendable {
  /// What regions may use from outside themselves, beside constants.
  enum Captures: Sendable {
    case nothing
    /// Outside values become operands, and parameters of every region.
    case operands
  }

  /// The op's name with its dialect.
  let name: String
  /// The pretty form; the op is written in the generic form where there is none.
  let assembly: Assembly?
  let captures: Captures
  let read: @Sendable (OpReader) throws(OpError) -> Op
  let write: @Sendable (Op, inout OpWriter) -> Void

  init(
    _ name: String, _ notation: String?, captures: Captures = .nothing,
    read: @escaping @Sendable (OpReader) throws(OpError) -> Op,
    write: @escaping @Sendable (Op, inout OpWriter) -> Void = { _, _ in }
  ) {
    self.name = name
    assembly = notation.map { Assembly($0) }
    self.captures = captures
    self.read = read
    self.write = write
  }

  /// A form that follows from the op's attributes; `template` gives the values of those that are not written.
  init<Definition: OpDefinition>(
    _ template: Definition, _ notation: String?, captures: Captures = .nothing,
    attributes: [TextAttribute<Definition>] = []
  ) {
    self.init(template.mnemonic, notation, captures: captures) { (reader) throws(OpError) in
      var definition = template
      for attribute in attributes { try attribute.read(reader, &definition) }
      return definition.op
    } write: { op, writer in
      guard let definition = op.definition as? Definition else { return }
      for attribute in attributes { attribute.write(definition, &writer) }
    }
  }

  /// The form of a pointwise function without attributes.
  init(pointwise function: ScalarFunction) {
    let style =
      switch function {
      case .select: "select-types"
      case .complex: "complex-type"
      case .isFinite: "functional-type"
      default: function.mnemonic.hasPrefix("chlo.") ? "arrow-types" : "same-type"
      }
    self.init(function.mnemonic, "operands attr-dict `:` \(style)") { _ in .pointwise(function) }
  }

  /// All forms, by name.
  static let all: [String: TextForm] = {
    var all: [String: TextForm] = [:]
    for form in forms + ScalarFunction.plain.map({ TextForm(pointwise: $0) }) { all[form.name] = form }
    return all
  }()
}

/// One attribute of an op, and the field that holds it.
struct TextAttribute<Definition>: Sendable {
  let read: @Sendable (OpReader, inout Definition) throws(OpError) -> Void
  let write: @Sendable (Definition, inout OpWriter) -> Void
}

extension TextAttribute {
  typealias Field<Value> = any WritableKeyPath<Definition, Value> & Sendable

  /// `array<i64: 1, 2>`; `[1, 2]` in pretty forms.
  static func integers(_ name: String, _ field: Field<[Int]>) -> Self {
    Self { (reader, definition) throws(OpError) in
      definition[keyPath: field] = try reader.integers(name)
    } write: { definition, writer in
      writer.set(name, integers: definition[keyPath: field])
    }
  }

  /// `1 : i64`; `1` in pretty forms.
  static func integer(_ name: String, _ field: Field<Int>, type: String = "i64", default standard: Int? = nil) -> Self {
    Self { (reader, definition) throws(OpError) in
      definition[keyPath: field] = try reader.integer(name, default: standard)
    } write: { definition, writer in
      writer.set(name, .integer(Int64(definition[keyPath: field]), type))
    }
  }

  static func boolean(_ name: String, _ field: Field<Bool>) -> Self {
    Self { (reader, definition) throws(OpError) in
      definition[keyPath: field] = try reader.boolean(name, default: false)
    } write: { definition, writer in
      writer.set(name, .boolean(definition[keyPath: field]))
    }
  }

  /// `1.0e-05 : f32`
  static func real(_ name: String, _ field: Field<Double>) -> Self {
    Self { (reader, definition) throws(OpError) in
      definition[keyPath: field] = try reader.real(name)
    } write: { definition, writer in
      writer.set(name, .float(definition[keyPath: field], "f32"))
    }
  }

  static func string(_ name: String, _ field: Field<String>) -> Self {
    Self { (reader, definition) throws(OpError) in
      definition[keyPath: field] = try reader.string(name)
    } write: { definition, writer in
      writer.set(name, .string(definition[keyPath: field]))
    }
  }

  /// `@name`
  static func symbol(_ name: String, _ field: Field<String>) -> Self {
    Self { (reader, definition) throws(OpError) in
      definition[keyPath: field] = try reader.string(name)
    } write: { definition, writer in
      writer.set(name, .symbol(definition[keyPath: field]))
    }
  }

  /// `#stablehlo<kind VALUE>`; `VALUE` in pretty forms.
  static func enumeration<Value: RawRepresentable<String> & Sendable>(
    _ name: String, kind: String, _ field: Field<Value>, default standard: Value? = nil
  ) -> Self {
    Self { (reader, definition) throws(OpError) in
      definition[keyPath: field] = try reader.enumeration(name, default: standard)
    } write: { definition, writer in
      writer.set(name, .enumeration(kind: kind, definition[keyPath: field].rawValue))
    }
  }

  /// Integers, of which symbolic ones are spelled out in a second attribute.
  static func extents(_ name: String, _ field: Field<[Extent]>) -> Self {
    Self { (reader, definition) throws(OpError) in
      definition[keyPath: field] = try reader.extents(name)
    } write: { definition, writer in
      writer.set(name, extents: definition[keyPath: field])
    }
  }

  /// The type of the only result.
  static func resultType(_ field: Field<TensorType>) -> Self {
    Self { (reader, definition) throws(OpError) in
      definition[keyPath: field] = try reader.result()
    } write: { _, _ in
    }
  }

  static func resultTypes(_ field: Field<[TensorType]>) -> Self {
    Self { (reader, definition) throws(OpError) in
      definition[keyPath: field] = reader.resultTypes
    } write: { _, _ in
    }
  }

  static func region(_ index: Int, _ field: Field<Graph>) -> Self {
    Self { (reader, definition) throws(OpError) in
      definition[keyPath: field] = try reader.region(index)
    } write: { _, _ in
    }
  }
}

/// What the text says about one op, with operands, types and regions already understood.
struct OpReader {
  let name: String
  let attributes: [NamedAttribute]
  let operandTypes: [TensorType]
  /// As declared; a `?` is a symbol of its own unless the text says which extent it is.
  let resultTypes: [TensorType]
  /// Whether the text says what the symbolic extents of the results are.
  let hasExtents: Bool
  let regions: [Graph]

  subscript(name: String) -> AttributeSyntax? { attributes.first { $0.name == name }?.value }

  private func missing(_ attribute: String) -> OpError { OpError("'\(name)' needs the attribute '\(attribute)'") }
  private func wrong(_ attribute: String, _ kind: String) -> OpError {
    OpError("the attribute '\(attribute)' of '\(name)' is not \(kind)")
  }

  func result() throws(OpError) -> TensorType {
    guard resultTypes.count == 1 else { throw OpError("'\(name)' has one result, not \(resultTypes.count)") }
    return resultTypes[0]
  }

  func operand(_ index: Int) throws(OpError) -> TensorType {
    guard operandTypes.indices.contains(index) else {
      throw OpError("'\(name)' has more operands than \(operandTypes.count)")
    }
    return operandTypes[index]
  }

  func region(_ index: Int) throws(OpError) -> Graph {
    guard regions.indices.contains(index) else { throw OpError("'\(name)' has more regions than \(regions.count)") }
    return regions[index]
  }

  /// The elements of an integer list in any of its spellings; `standard` where it is missing.
  func integers(_ attribute: String, default standard: [Int]? = nil) throws(OpError) -> [Int] {
    guard let value = self[attribute] else {
      guard let standard else { throw missing(attribute) }
      return standard
    }
    guard let integers = value.integerList else { throw wrong(attribute, "a list of integers") }
    return integers
  }

  func integer(_ attribute: String, default standard: Int? = nil) throws(OpError) -> Int {
    switch self[attribute] {
    case .integer(let value, _)?: return Int(value)
    case .dense(let literal)? where literal.elementCount == 1: return Int(literal[0].integerValue)
    case nil:
      guard let standard else { throw missing(attribute) }
      return standard
    default: throw wrong(attribute, "an integer")
    }
  }

  func boolean(_ attribute: String, default standard: Bool) throws(OpError) -> Bool {
    switch self[attribute] {
    case .boolean(let value)?: return value
    case .integer(let value, _)?: return value != 0
    case .unit?: return true
    case nil: return standard
    default: throw wrong(attribute, "true or false")
    }
  }

  func real(_ attribute: String) throws(OpError) -> Double {
    switch self[attribute] {
    case .float(let value, _)?: return value
    case .integer(let value, _)?: return Double(value)
    case nil: throw missing(attribute)
    default: throw wrong(attribute, "a number")
    }
  }

  func string(_ attribute: String) throws(OpError) -> String {
    switch self[attribute] {
    case .string(let value)?, .symbol(let value)?: return value
    case nil: throw missing(attribute)
    default: throw wrong(attribute, "a string or symbol")
    }
  }

  func enumeration<Value: RawRepresentable<String>>(_ attribute: String, default standard: Value? = nil)
    throws(OpError) -> Value
  {
    let word: String
    switch self[attribute] {
    case .enumeration(_, let value)?, .string(let value)?: word = value
    case nil:
      guard let standard else { throw missing(attribute) }
      return standard
    default: throw wrong(attribute, "one of the values it may have")
    }
    guard let value = Value(rawValue: word) else { throw OpError("'\(name)' has no \(attribute) '\(word)'") }
    return value
  }

  /// Pairs of low and high padding; none where the attribute is missing.
  func pairs(_ attribute: String) throws(OpError) -> [(Int, Int)]? {
    guard let value = self[attribute] else { return nil }
    var flat: [Int] = []
    if case .array(let rows) = value {
      for row in rows {
        guard let pair = row.integerList, pair.count == 2 else { throw wrong(attribute, "a list of pairs") }
        flat += pair
      }
    } else if case .dense(let literal) = value, literal.elementCount % 2 == 0,
      literal.elementCount <= 65_536
    {
      flat = literal.scalars.map { Int($0.integerValue) }
    } else {
      throw wrong(attribute, "a list of pairs")
    }
    return stride(from: 0, to: flat.count, by: 2).map { (flat[$0], flat[$0 + 1]) }
  }

  /// The fields of an attribute such as `#stablehlo.gather<…>`.
  func body(_ attribute: String) throws(OpError) -> DialectBody {
    guard let value = self[attribute] else { throw missing(attribute) }
    guard case .dialect(_, let body) = value else { throw wrong(attribute, "a list of fields") }
    return DialectBody(body)
  }

  func integers(_ body: DialectBody, _ key: String) throws(OpError) -> [Int] {
    guard let values = body.integers(key) else { throw OpError("'\(key)' of '\(name)' is not a list of integers") }
    return values
  }

  /// Integers, or what the attribute's symbolic companion says.
  func extents(_ attribute: String) throws(OpError) -> [Extent] {
    if let companion = self["tfc." + attribute] {
      guard case .array(let texts) = companion else { throw wrong("tfc." + attribute, "a list of extents") }
      var extents: [Extent] = []
      for case .string(let text) in texts { extents.append(try Extent(parsing: text)) }
      return extents
    }
    return try integers(attribute).map { Extent($0) }
  }
}

extension AttributeSyntax {
  /// The integers of `array<i64: …>`, `[…]` or `dense<…>`.
  var integerList: [Int]? {
    switch self {
    case .integers(let values, _): return values.map { Int($0) }
    case .dense(let literal) where literal.elementType.isInteger || literal.elementType.isBoolean:
      guard literal.elementCount <= 65_536 else { return nil }
      return literal.scalars.map { Int($0.integerValue) }
    case .array(let elements):
      var values: [Int] = []
      for element in elements {
        switch element {
        case .integer(let value, _): values.append(Int(value))
        case .boolean(let value): values.append(value ? 1 : 0)
        default: return nil
        }
      }
      return values
    default: return nil
    }
  }
}

/// Collects what an op writes beside operands, types and regions.
struct OpWriter {
  private(set) var attributes: [NamedAttribute] = []

  mutating func set(_ name: String, _ value: AttributeSyntax) {
    attributes.append(NamedAttribute(name: name, value: value))
  }

  mutating func set(_ name: String, integers: [Int]) { set(name, .integers(integers.map { Int64($0) })) }

  mutating func set(_ name: String, booleans: [Bool]) {
    set(name, .integers(booleans.map { $0 ? 1 : 0 }, element: "i1"))
  }

  mutating func set(_ name: String, extents: [Extent]) {
    set(name, .integers(extents.map { Int64($0.fixed ?? .min) }))
    guard !extents.allSatisfy(\.isFixed) else { return }
    set("tfc." + name, .array(extents.map { .string($0.text) }))
  }

  mutating func set(_ name: String, pairs: [(Int, Int)]) {
    let values: [Scalar] = pairs.flatMap { [.integer(Int64($0.0)), .integer(Int64($0.1))] }
    set(name, .dense(Literal(.i64, [pairs.count, 2], values)))
  }
}
