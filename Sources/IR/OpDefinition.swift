import Synchronization

/// Why an op cannot have the operands or attributes it was given. The caller that knows it adds the place.
public struct OpError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// The input breaks a rule.
    case invalid
    /// The input is right, but tfc does not implement it; the message begins with the op's name.
    case unsupported
  }

  public let kind: Kind
  public let message: String
  /// Whether the message says where.
  private let isPlaced: Bool

  public init(_ message: String) { self.init(kind: .invalid, message: message) }

  private init(kind: Kind, message: String, isPlaced: Bool = false) {
    self.kind = kind
    self.message = message
    self.isPlaced = isPlaced
  }

  /// `unsupported: MESSAGE`; `message` begins with the op's name.
  public static func unsupported(_ message: String) -> OpError { OpError(kind: .unsupported, message: message) }

  /// The error with the place, where that is known and not there yet: in front, or behind the name of what is not
  /// implemented.
  public func at(_ location: Location) -> OpError {
    guard location != .unknown, !isPlaced else { return self }
    let placed = kind == .unsupported ? "\(message) (\(location))" : "\(location): \(message)"
    return OpError(kind: kind, message: placed, isPlaced: true)
  }

  public var description: String { kind == .unsupported ? "unsupported: \(message)" : message }
}

/// What an op is: attributes, type rule, meaning, access pattern. One struct in one file.
public protocol OpDefinition: Hashable, Sendable {
  /// The name in the text form, with its dialect: `stablehlo.transpose`.
  var mnemonic: String { get }

  /// The result types for operands of these types; throws where a constraint of the specification is broken.
  func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType]

  /// What of extents must hold in a run that computes elements, beyond what `inferTypes` decides: with fixed extents, nothing.
  func requiredOrders(_ operands: [TensorType]) -> [ExtentOrder]

  /// The meaning, naive and obvious: the results for these operands. Never uses `semantics`.
  ///
  /// `results` are the inferred types with every symbol replaced by its value.
  func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]

  /// How result elements depend on operand elements; what fusion and schedules are written against.
  func semantics(operands: [TensorType], results: [TensorType]) -> Semantics

  /// The graphs inside the op, in the order of its regions.
  var regions: [Graph] { get }

  /// The op with other graphs in its regions.
  func withRegions(_ regions: [Graph]) -> Op

  /// The op with `replacement` applied to every extent among its attributes.
  func mappingExtents(_ replacement: (Extent) -> Extent) -> Op

  /// The op as a case of the closed set.
  var op: Op { get }
}

extension OpDefinition {
  public func requiredOrders(_ operands: [TensorType]) -> [ExtentOrder] { [] }
  public var regions: [Graph] { [] }
  public func withRegions(_ regions: [Graph]) -> Op { op }
  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op { op }

  /// The only operand's type; throws unless there is exactly one.
  func single(_ operands: [TensorType]) throws(OpError) -> TensorType {
    try expect(operands, count: 1)
    return operands[0]
  }

  func expect(_ operands: [TensorType], count: Int) throws(OpError) {
    guard operands.count == count else {
      throw OpError("\(mnemonic) takes \(count) operand\(count == 1 ? "" : "s"), not \(operands.count)")
    }
  }
}

/// The steps that loops may still make; one for all copies of a context, however deep they are nested.
final class EvaluationBudget: Sendable {
  let limit: Int
  private let spent = Atomic<Int>(0)

  init(steps: Int) { limit = steps }

  /// Whether `steps` more are within the limit.
  func spend(_ steps: Int) -> Bool { spent.add(max(1, steps), ordering: .relaxed).newValue <= limit }
}

/// What `evaluate` may know beside its operands.
public struct EvaluationContext: Sendable {
  public var functions: [String: Function]
  public var symbols: [Symbol: Int]
  /// How many calls are under way.
  var callDepth = 0
  private let budget: EvaluationBudget

  /// The steps that all loops of one evaluation together may make: nodes of conditions and bodies, once an iteration.
  public static let stepLimit = 100_000_000
  /// How deep calls may be nested.
  public static let callDepthLimit = 100

  public init(
    functions: [String: Function] = [:], symbols: [Symbol: Int] = [:], stepLimit: Int = EvaluationContext.stepLimit
  ) {
    self.functions = functions
    self.symbols = symbols
    budget = EvaluationBudget(steps: stepLimit)
  }

  /// Takes the steps of one iteration from what the evaluation may still spend; throws where nothing is left.
  func charge(steps: Int, for mnemonic: String) throws(OpError) {
    guard budget.spend(steps) else {
      throw OpError("\(mnemonic) was given up: its loops take more than \(budget.limit) steps")
    }
  }

  /// The extent's value where all its symbols are known.
  public func value(of extent: Extent) throws(OpError) -> Int {
    if let fixed = extent.fixed { return fixed }
    guard let value = extent.value(bySymbol: { symbols[$0] }) else {
      throw OpError("extent \(extent) has no value here")
    }
    return value
  }

  /// The type with every extent fixed.
  public func resolved(_ type: TensorType) throws(OpError) -> TensorType {
    if type.hasFixedShape { return type }
    var dimensions: [Extent] = []
    for extent in type.dimensions { dimensions.append(Extent(try value(of: extent))) }
    return TensorType(type.elementType, dimensions)
  }
}
