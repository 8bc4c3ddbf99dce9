import Foundation
import IR

/// The values of a graph's variables: which tensor of a checkpoint each has.
///
/// What restores a model says it: an op that takes the tensors out of the checkpoint by key, and assignments to the
/// variables. A variable that is not restored has the tensor that the checkpoint's own graph of objects says for its
/// name, else the one whose key is its name.
struct VariableValues {
  /// A tensor of the checkpoint, or the part of one that `slice` names.
  private struct Source {
    var key: String
    var slice = ""
  }

  private let variables: [String: Tensorflow_NodeDef]
  private let checkpoint: Checkpoint
  private var sources: [String: Source] = [:]

  init(
    nodes: [String: Tensorflow_NodeDef], functions: [String: Tensorflow_FunctionDef], saver: Tensorflow_SaverDef?,
    checkpoint: Checkpoint
  ) throws(TensorFlowError) {
    self.checkpoint = checkpoint
    variables = nodes.filter { Self.variableOps.contains($0.value.op) }
    if let saver, let restore = nodes[Endpoint(saver.restoreOpName).node] {
      let graph = Body(nodes: nodes)
      if let function = functions[restore.attr["f"]?.func.name ?? ""] {
        addSources(restoredBy: function, calledBy: restore, in: graph)
      } else {
        addSources(restoredBy: restore, in: graph)
      }
    }
    guard variables.contains(where: { sources[$0.key] == nil }) else { return }
    try addSourcesByName()
  }

  private static let variableOps: Set = ["VarHandleOp", "VariableV2", "Variable"]
  private static let assignments: Set = ["AssignVariableOp", "Assign"]
  private static let identities: Set = ["Identity", "IdentityN"]

  /// The value of the variable that the node with this name makes; nil if the checkpoint has none.
  func value(ofVariable name: String) throws(OpError) -> Literal? {
    guard let node = variables[name], let source = sources[name] else { return nil }
    let value = try checkpoint.literal(source.key, slice: source.slice)
    if let dtype = node.attr["dtype"]?.type {
      let element = try dtype.elementType()
      guard element == value.elementType else {
        throw OpError("variable '\(name)' has elements of \(element), but its value in the checkpoint is \(value.type)")
      }
    }
    guard let shape = node.attr["shape"]?.shape, !shape.unknownRank else { return value }
    let extents = shape.dim.map(\.size)
    // -1 is an extent that is not known.
    guard extents.count == value.dimensions.count,
      zip(extents, value.dimensions).allSatisfy({ $0 == -1 || $0 == Int64($1) })
    else {
      throw OpError("variable '\(name)' has dimensions \(extents), but its value in the checkpoint is \(value.type)")
    }
    return value
  }

  /// Sources of what a function restores whose arguments are the variables.
  private mutating func addSources(
    restoredBy function: Tensorflow_FunctionDef, calledBy call: Tensorflow_NodeDef, in graph: Body
  ) {
    let body = Body(function)
    let operands = call.input.filter { !$0.hasPrefix("^") }
    var operandOfArgument: [String: String] = [:]
    for (argument, operand) in zip(function.signature.inputArg, operands) {
      operandOfArgument[argument.name] = operand
    }
    for node in function.nodeDef where Self.assignments.contains(node.op) && node.input.count >= 2 {
      guard let argument = body.origin(of: node.input[0]), let operand = operandOfArgument[argument.node],
        let variable = graph.origin(of: operand)
      else { continue }
      sources[variable.node] = body.source(of: node.input[1])
    }
  }

  /// Sources of what the main graph itself restores: the assignments that `restore` waits for.
  private mutating func addSources(restoredBy restore: Tensorflow_NodeDef, in graph: Body) {
    var seen: Set<String> = []
    var waiting = [restore]
    while let node = waiting.popLast() {
      guard seen.insert(node.name).inserted else { continue }
      if Self.assignments.contains(node.op), node.input.count >= 2 {
        guard let variable = graph.origin(of: node.input[0]) else { continue }
        sources[variable.node] = graph.source(of: node.input[1])
      } else {
        waiting += node.input.compactMap { graph.nodes[Endpoint($0).node] }
      }
    }
  }

  /// Sources of variables that have none yet, by their names.
  private mutating func addSourcesByName() throws(TensorFlowError) {
    var keys: [String: Set<String>] = [:]
    let bytes: Data?
    do throws(OpError) { bytes = try checkpoint.string("_CHECKPOINTABLE_OBJECT_GRAPH") } catch {
      throw .invalid(error.description)
    }
    if let bytes {
      let objects: Tensorflow_TrackableObjectGraph = try decoded(bytes, "a checkpoint with a graph of objects")
      for attribute in objects.nodes.flatMap(\.attributes) where attribute.name == "VARIABLE_VALUE" {
        keys[attribute.fullName, default: []].insert(attribute.checkpointKey)
      }
    }
    for (name, node) in variables where sources[name] == nil {
      let shared = node.attr["shared_name"].map { String(decoding: $0.s, as: UTF8.self) } ?? ""
      let candidates = keys[shared.isEmpty ? name : shared] ?? []
      if candidates.count == 1, let key = candidates.first, checkpoint.contains(key) {
        sources[name] = Source(key: key)
      } else if candidates.isEmpty, checkpoint.contains(name) {
        sources[name] = Source(key: name)
      }
    }
  }

  /// One result of a node: `NODE`, `NODE:INDEX`, or in functions `NODE:RESULT:INDEX`.
  private struct Endpoint {
    var node: String
    var index: Int

    init(_ input: String) {
      let parts = input.drop { $0 == "^" }.split(separator: ":", omittingEmptySubsequences: false)
      node = parts.first.map(String.init) ?? ""
      index = parts.count > 1 ? Int(parts[parts.count - 1]) ?? 0 : 0
    }
  }

  /// The nodes of a graph or a function, by name.
  private struct Body {
    var nodes: [String: Tensorflow_NodeDef]

    init(nodes: [String: Tensorflow_NodeDef]) { self.nodes = nodes }

    init(_ function: Tensorflow_FunctionDef) {
      nodes = Dictionary(function.nodeDef.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Where a value comes from, behind ops that only hand it on; nil if they hand it on in a circle.
    func origin(of input: String) -> Endpoint? {
      var endpoint = Endpoint(input)
      for _ in 0...nodes.count {
        guard let node = nodes[endpoint.node], VariableValues.identities.contains(node.op),
          node.input.indices.contains(endpoint.index)
        else { return endpoint }
        endpoint = Endpoint(node.input[endpoint.index])
      }
      return nil
    }

    /// The tensor of the checkpoint that a value is, if `RestoreV2` takes it from there.
    func source(of input: String) -> Source? {
      guard let result = origin(of: input), let restore = nodes[result.node], restore.op == "RestoreV2",
        restore.input.count >= 3, let keys = strings(restore.input[1]), keys.indices.contains(result.index)
      else { return nil }
      let slices = strings(restore.input[2]) ?? []
      return Source(key: keys[result.index], slice: slices.indices.contains(result.index) ? slices[result.index] : "")
    }

    /// The strings of a constant.
    private func strings(_ input: String) -> [String]? {
      guard let origin = origin(of: input), let node = nodes[origin.node], node.op == "Const" else { return nil }
      return node.attr["value"]?.tensor.stringVal.map { String(decoding: $0, as: UTF8.self) }
    }
  }
}
