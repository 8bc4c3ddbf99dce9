import GraphBuilding
import IR

/// The node being lowered: its message, its opset version, its inputs, and what of them has been read.
struct NodeCall {
  var node: Onnx_NodeProto
  var version: Int
  var inputs: [Value?]
  private var attributes: [String: Onnx_AttributeProto]
  private var read: Set<String> = []
  private var readInputs: Set<Int> = []

  init(
    _ node: Onnx_NodeProto, version: Int = 1, inputs: [Value?] = [], attributes: [String: Onnx_AttributeProto] = [:]
  ) {
    self.node = node
    self.version = version
    self.inputs = inputs
    self.attributes = attributes
  }

  var location: Location { .name(displayName, .unknown) }

  /// The node's name, or its first output's where it has none.
  var displayName: String { node.name.isEmpty ? node.output.first { !$0.isEmpty } ?? "" : node.name }

  /// Attributes that no accessor asked for.
  var unreadAttributes: [String] { attributes.keys.filter { !read.contains($0) }.sorted() }

  /// An input that is given but that no accessor asked for.
  var unreadInput: Int? { inputs.indices.first { inputs[$0] != nil && !readInputs.contains($0) } }

  fileprivate mutating func input(_ index: Int) -> Value? {
    readInputs.insert(index)
    return index < inputs.count ? inputs[index] : nil
  }

  /// The attribute, which must hold a value of the given type.
  fileprivate mutating func attribute(
    _ name: String, _ type: Onnx_AttributeProto.AttributeType
  ) throws(OpError) -> Onnx_AttributeProto? {
    read.insert(name)
    guard let attribute = attributes[name] else { return nil }
    // Files of IR version 1 leave the type out.
    guard attribute.type == type || attribute.type == .undefined else {
      throw OpError("attribute '\(name)' is \(attribute.type) where \(type) is expected")
    }
    return attribute
  }

  mutating func has(_ name: String) -> Bool {
    read.insert(name)
    return attributes[name] != nil
  }
}

/// The current node's attributes and inputs.
extension Lowering {
  var version: Int { call.version }
  var inputCount: Int { call.inputs.count }
  /// How many outputs the node names; trailing outputs may be absent.
  var outputCount: Int { call.node.output.count }

  /// Whether output `index` is asked for.
  func wantsOutput(_ index: Int) -> Bool {
    index < call.node.output.count && !call.node.output[index].isEmpty
  }

  /// Whether the attribute is given.
  mutating func has(_ name: String) -> Bool { call.has(name) }

  /// Takes note of attributes that change nothing here.
  mutating func ignore(_ names: String...) { for name in names { _ = call.has(name) } }

  /// Takes note of an input that changes nothing here.
  mutating func ignore(input index: Int) { _ = call.input(index) }

  mutating func int(_ name: String) throws(OpError) -> Int? {
    try call.attribute(name, .int).map { Int($0.i) }
  }

  mutating func int(_ name: String, default value: Int) throws(OpError) -> Int { try int(name) ?? value }

  /// An integer attribute that says yes (not 0) or no (0).
  mutating func flag(_ name: String, default value: Bool = false) throws(OpError) -> Bool {
    try int(name).map { $0 != 0 } ?? value
  }

  mutating func ints(_ name: String) throws(OpError) -> [Int]? {
    guard let attribute = try call.attribute(name, .ints) else { return nil }
    return attribute.ints.map { Int($0) }
  }

  mutating func float(_ name: String) throws(OpError) -> Double? {
    try call.attribute(name, .float).map { Double($0.f) }
  }

  mutating func float(_ name: String, default value: Float) throws(OpError) -> Double {
    try float(name) ?? Double(value)
  }

  mutating func floats(_ name: String) throws(OpError) -> [Double]? {
    try call.attribute(name, .floats).map { $0.floats.map(Double.init) }
  }

  mutating func string(_ name: String) throws(OpError) -> String? {
    try call.attribute(name, .string).map { String(decoding: $0.s, as: UTF8.self) }
  }

  mutating func string(_ name: String, default value: String) throws(OpError) -> String {
    try string(name) ?? value
  }

  mutating func strings(_ name: String) throws(OpError) -> [String]? {
    try call.attribute(name, .strings).map { $0.strings.map { String(decoding: $0, as: UTF8.self) } }
  }

  mutating func tensor(_ name: String) throws(OpError) -> Literal? {
    guard let attribute = try call.attribute(name, .tensor) else { return nil }
    return try attribute.t.literal(directory: context.file.directory)
  }

  mutating func sparseTensor(_ name: String) throws(OpError) -> Onnx_SparseTensorProto? {
    try call.attribute(name, .sparseTensor)?.sparseTensor
  }

  mutating func subgraph(_ name: String) throws(OpError) -> Onnx_GraphProto {
    guard let attribute = try call.attribute(name, .graph) else { throw OpError("attribute '\(name)' is missing") }
    return attribute.g
  }

  /// An attribute that the op must have.
  func required<T>(_ value: T?, _ name: String) throws(OpError) -> T {
    guard let value else { throw OpError("attribute '\(name)' is missing") }
    return value
  }

  /// The input at `index`, or nil where it is left out.
  mutating func optional(_ index: Int) -> Value? { call.input(index) }

  mutating func input(_ index: Int) throws(OpError) -> Value {
    guard let value = optional(index) else { throw OpError("input \(index) is missing") }
    guard list(of: value) == nil else { throw .unsupported("a sequence") }
    return value
  }

  /// All inputs, none of which may be left out.
  mutating func allInputs() throws(OpError) -> [Value] {
    var values: [Value] = []
    for index in call.inputs.indices { values.append(try input(index)) }
    return values
  }

  /// `axis` counted from the front, where negative values count from the end.
  func axis(_ axis: Int, rank: Int) throws(OpError) -> Int {
    guard axis >= -rank, axis < rank else { throw OpError("axis \(axis) is outside of rank \(rank)") }
    return axis < 0 ? axis + rank : axis
  }

  /// Different axes, each counted from the front.
  func axes(_ axes: [Int], rank: Int) throws(OpError) -> [Int] {
    var result: [Int] = []
    for axis in axes { result.append(try self.axis(axis, rank: rank)) }
    guard Set(result).count == result.count else { throw OpError("axes \(axes) name one dimension twice") }
    return result
  }
}
