import GraphBuilding
import IR

/// The node being lowered: its message, its inputs, and what of its attributes has been read.
struct NodeCall {
  var node: Tensorflow_NodeDef
  var inputs: [Item]
  private var read: Set<String> = []

  init(_ node: Tensorflow_NodeDef = Tensorflow_NodeDef(), inputs: [Item] = []) {
    self.node = node
    self.inputs = inputs
  }

  var location: Location { .name(node.name, .unknown) }

  /// Attributes that no accessor asked for. Those that name types follow from the inputs, and those that begin with an
  /// underscore are hints.
  var unreadAttributes: [String] {
    node.attr.filter { name, value in
      if read.contains(name) || name.hasPrefix("_") { return false }
      switch value.value {
      case .type?, nil: return false
      case .list(let list)?: return !list.hasOnlyTypes
      default: return true
      }
    }.keys.sorted()
  }

  fileprivate mutating func attribute(_ name: String) -> Tensorflow_AttrValue.OneOf_Value? {
    read.insert(name)
    return node.attr[name]?.value
  }
}

/// The current node's attributes and inputs.
extension Lowering {
  var inputCount: Int { call.inputs.count }

  /// Takes note of attributes that change nothing here.
  mutating func ignore(_ names: String...) { for name in names { _ = call.attribute(name) } }

  private func wrong(_ name: String, _ kind: String) -> OpError { OpError("attribute '\(name)' is not \(kind)") }

  mutating func int(_ name: String) throws(OpError) -> Int? {
    switch call.attribute(name) {
    case nil: return nil
    case .i(let value)?: return Int(value)
    default: throw wrong(name, "an integer")
    }
  }

  mutating func int(_ name: String, default value: Int) throws(OpError) -> Int { try int(name) ?? value }

  mutating func flag(_ name: String, default value: Bool = false) throws(OpError) -> Bool {
    switch call.attribute(name) {
    case nil: return value
    case .b(let value)?: return value
    default: throw wrong(name, "true or false")
    }
  }

  mutating func float(_ name: String, default value: Float) throws(OpError) -> Double {
    switch call.attribute(name) {
    case nil: return Double(value)
    case .f(let value)?: return Double(value)
    default: throw wrong(name, "a number")
    }
  }

  mutating func string(_ name: String, default value: String) throws(OpError) -> String {
    switch call.attribute(name) {
    case nil: return value
    case .s(let value)?: return String(decoding: value, as: UTF8.self)
    default: throw wrong(name, "a string")
    }
  }

  mutating func ints(_ name: String) throws(OpError) -> [Int]? {
    switch call.attribute(name) {
    case nil: return nil
    case .list(let list)?: return list.i.map { Int($0) }
    default: throw wrong(name, "a list of integers")
    }
  }

  mutating func floats(_ name: String) throws(OpError) -> [Double] {
    guard case .list(let list)? = call.attribute(name) else { throw wrong(name, "a list of numbers") }
    return list.f.map { Double($0) }
  }

  /// The element type that an attribute names; files leave out attributes with the value that is standard.
  mutating func elementType(_ name: String, default standard: ElementType? = nil) throws(OpError) -> ElementType {
    let attribute = call.attribute(name)
    if case .type(let type)? = attribute { return try type.elementType() }
    guard attribute == nil, let standard else { throw wrong(name, "a type") }
    return standard
  }

  mutating func tensor(_ name: String) throws(OpError) -> Tensorflow_TensorProto {
    guard case .tensor(let tensor)? = call.attribute(name) else { throw wrong(name, "a tensor") }
    return tensor
  }

  /// A shape whose unknown extents are nil; nil where not even the rank is known.
  mutating func shape(_ name: String) throws(OpError) -> [Int?]? {
    guard case .shape(let shape)? = call.attribute(name) else { throw wrong(name, "a shape") }
    return shape.extents
  }

  mutating func function(_ name: String) throws(OpError) -> String {
    guard case .func(let function)? = call.attribute(name) else { throw wrong(name, "a function") }
    return function.name
  }

  mutating func functions(_ name: String) throws(OpError) -> [String] {
    guard case .list(let list)? = call.attribute(name) else { throw wrong(name, "a list of functions") }
    return list.func.map(\.name)
  }

  func item(_ index: Int) throws(OpError) -> Item {
    guard call.inputs.indices.contains(index) else { throw OpError("input \(index) is missing") }
    return call.inputs[index]
  }

  func input(_ index: Int) throws(OpError) -> Value {
    switch try item(index) {
    case .tensor(let value): return value
    case .list: throw .unsupported("a list of tensors")
    case .variable: throw .unsupported("a variable")
    case .other(let what): throw .unsupported(what)
    case .missing: throw .unsupported("")
    }
  }

  /// All inputs, tensors.
  func allInputs() throws(OpError) -> [Value] {
    var values: [Value] = []
    for index in call.inputs.indices { values.append(try input(index)) }
    return values
  }

  func list(_ index: Int) throws(OpError) -> TensorList {
    guard case .list(let list) = try item(index) else { throw OpError("input \(index) is no list of tensors") }
    return list
  }

  func variable(_ index: Int) throws(OpError) -> String {
    guard case .variable(let name) = try item(index) else { throw OpError("input \(index) is no variable") }
    return name
  }

  /// Throws unless the shapes are the same, or symbols may make them the same.
  mutating func unify(_ a: [Extent], _ b: [Extent], _ message: @autoclosure () -> String) throws(OpError) {
    guard a.count == b.count else { throw OpError(message()) }
    for (x, y) in zip(a, b) where x != y {
      guard x.isFixed, y.isFixed else { throw inequality(x, y) }
      throw OpError(message())
    }
  }

  /// `axis` counted from the front, where negative values count from the end.
  func axis(_ axis: Int, rank: Int) throws(OpError) -> Int {
    guard axis >= -rank, axis < rank else { throw OpError("axis \(axis) is outside of rank \(rank)") }
    return axis < 0 ? axis + rank : axis
  }

  /// Different axes, each counted from the front.
  func axes(_ axes: [Int], rank: Int) throws(OpError) -> [Int] {
    var result: [Int] = []
    for axis in axes {
      let axis = try self.axis(axis, rank: rank)
      guard !result.contains(axis) else { throw OpError("axes \(axes) name one dimension twice") }
      result.append(axis)
    }
    return result
  }

  /// The one integer that an input is.
  mutating func integer(_ index: Int, _ what: String) throws(OpError) -> Int {
    let values = try integers(of: try input(index), what)
    guard values.count == 1 else { throw OpError("its \(what) is not one integer") }
    return values[0]
  }

  /// The one integer that an input is, maybe an expression over symbols.
  mutating func extent(_ index: Int, _ what: String) throws(OpError) -> Extent {
    let values = try extents(of: try input(index), what)
    guard values.count == 1 else { throw OpError("its \(what) is not one integer") }
    return values[0]
  }

  /// An input that is a shape: one-dimensional, no extent negative.
  mutating func shapeInput(_ index: Int, _ what: String = "shape") throws(OpError) -> [Extent] {
    let values = try extents(of: try input(index), what)
    for value in values {
      if let fixed = value.fixed, fixed < 0 || fixed > elementCountLimit {
        throw OpError("its \(what) has the extent \(fixed)")
      }
    }
    return values
  }
}

extension Tensorflow_AttrValue.ListValue {
  fileprivate var hasOnlyTypes: Bool {
    s.isEmpty && i.isEmpty && f.isEmpty && b.isEmpty && shape.isEmpty && tensor.isEmpty && `func`.isEmpty
  }
}

extension Tensorflow_TensorShapeProto {
  /// The extents, those that are not known nil; nil where not even the rank is known.
  var extents: [Int?]? { unknownRank ? nil : dim.map { $0.size < 0 ? nil : Int($0.size) } }
}
