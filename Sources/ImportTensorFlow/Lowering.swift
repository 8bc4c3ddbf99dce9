import GraphBuilding
import IR

/// The state in which nodes become IR: the graphs under construction, and what the nodes of the current function are.
///
/// The nodes of a graph are in no order, and control edges order only what has effects. So nodes are lowered that the
/// results depend on, inputs first; what changes variables on the way is unsupported.
struct Lowering: GraphBuilder {
  let file: ModelFile
  let options: TensorFlowImporter
  /// The current node.
  var call = NodeCall()
  var construction: Construction
  /// A line for each unsupported node so far.
  var unsupported: [String] = []
  /// What broke a rule, with its place.
  var failure: TensorFlowError?
  /// The values of variables that were read, by the node that makes them.
  var variables: [String: Value] = [:]
  /// Whether functions write to variables, of those that were looked at.
  private var changingFunctions: [String: Bool] = [:]
  private var depth = 0

  private static let depthLimit = 64

  var location: Location { call.location }

  init(_ file: ModelFile, _ options: TensorFlowImporter, _ facts: SymbolFacts) {
    self.file = file
    self.options = options
    construction = Construction(facts)
  }

  // MARK: - Functions

  /// The results of one of the file's functions, its arguments being `arguments`.
  mutating func call(_ name: String, _ arguments: [Item]) throws(OpError) -> [Item] {
    guard let function = file.functions[name] else { throw OpError("there is no function '\(name)'") }
    let parameters = function.signature.inputArg
    guard parameters.count == arguments.count else {
      throw OpError("function '\(name)' takes \(parameters.count) arguments, not \(arguments.count)")
    }
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else { throw OpError("functions call each other more than \(Self.depthLimit) deep") }
    var known: [String: Item] = [:]
    for (parameter, argument) in zip(parameters, arguments) { known[parameter.name] = argument }
    var results: [String] = []
    for output in function.signature.outputArg {
      guard let result = function.ret[output.name] else {
        throw OpError("function '\(name)' does not say what its result '\(output.name)' is")
      }
      results.append(result)
    }
    var nodes = GraphNodes(function.nodeDef, arguments: known)
    return try evaluate(&nodes, results, effects: Array(function.controlRet.values))
  }

  /// What `results` stand for among `nodes`; nodes named in `effects` run too.
  mutating func evaluate(
    _ nodes: inout GraphNodes, _ results: [String], effects: [String] = []
  ) throws(OpError) -> [Item] {
    for name in try nodes.order(of: results) { try lower(name, &nodes) }
    for node in nodes.running(for: results, effects) where changesState(node) { report(node, "a change of state") }
    var items: [Item] = []
    for result in results { items.append(try nodes.item(result)) }
    return items
  }

  // MARK: - Nodes

  mutating func lower(_ name: String, _ nodes: inout GraphNodes) throws(OpError) {
    guard let node = nodes.nodes[name] else { return }
    try construction.countNode()
    let outerCall = call
    let levelCount = levels.count
    defer { call = outerCall }
    call = NodeCall(node)
    do throws(OpError) {
      nodes.results[name] = try results(of: node, &nodes)
    } catch {
      levels.removeLast(levels.count - levelCount)
      guard error.kind == .unsupported else {
        if failure == nil { failure = .invalid("node '\(node.name)' (\(node.op)): \(error.message)") }
        throw error
      }
      if !error.message.isEmpty { report(node, error.message) }
      nodes.results[name] = []
    }
  }

  private mutating func results(of node: Tensorflow_NodeDef, _ nodes: inout GraphNodes) throws(OpError) -> [Item] {
    if node.op == "Merge" { return try merged(node, &nodes) }
    guard let known = Operator.named(node.op) else {
      report(node, nil)
      return []
    }
    var inputs: [Item] = []
    for input in node.input where !input.hasPrefix("^") {
      let item = try nodes.item(input)
      if case .missing = item { return [] }
      inputs.append(item)
    }
    call = NodeCall(node, inputs: inputs)
    let results = try known.lower(&self)
    if let attribute = call.unreadAttributes.first { throw .unsupported("attribute '\(attribute)'") }
    return results
  }

  /// Whether a node writes to a variable, by itself or in a function that it names.
  private mutating func changesState(_ node: Tensorflow_NodeDef) -> Bool {
    node.op.changesState || node.functions.contains { changesState(inFunction: $0) }
  }

  private mutating func changesState(inFunction name: String) -> Bool {
    if let known = changingFunctions[name] { return known }
    var seen: Set<String> = [name]
    var waiting = [name]
    var isChanging = false
    while let next = waiting.popLast(), !isChanging {
      for node in file.functions[next]?.nodeDef ?? [] {
        isChanging = isChanging || node.op.changesState
        for callee in node.functions where seen.insert(callee).inserted { waiting.append(callee) }
      }
    }
    changingFunctions[name] = isChanging
    return isChanging
  }

  mutating func report(_ node: Tensorflow_NodeDef, _ reason: String?) {
    let line = "\(node.op) (node '\(node.name)')" + (reason.map { ": \($0)" } ?? "")
    if !unsupported.contains(line) { unsupported.append(line) }
  }
}

/// The nodes of a graph or function, and what of them is lowered.
struct GraphNodes {
  private(set) var nodes: [String: Tensorflow_NodeDef] = [:]
  /// What the arguments of a function stand for; nil in the main graph.
  private let arguments: [String: Item]?
  /// The outputs of nodes that are lowered; those of unsupported nodes are missing.
  var results: [String: [Item]] = [:]

  init(_ nodes: [Tensorflow_NodeDef], arguments: [String: Item]? = nil) {
    for node in nodes { self.nodes[node.name] = node }
    self.arguments = arguments
  }

  /// A reference to an output: `node`, `node:1`, in functions `node:output:1`, or an argument's name.
  struct Reference {
    var node: String
    var output: String?
    var index: Int

    init(_ text: String) {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      node = String(parts[0].drop { $0 == "^" })
      output = parts.count == 3 ? String(parts[1]) : nil
      index = parts.count > 1 ? Int(parts[parts.count - 1]) ?? -1 : 0
    }
  }

  /// What a reference stands for, its node being lowered.
  func item(_ text: String) throws(OpError) -> Item {
    let reference = Reference(text)
    if let argument = arguments?[reference.node], !text.contains(":") { return argument }
    guard let items = results[reference.node], let node = nodes[reference.node] else {
      throw OpError("input '\(text)' is neither an argument nor the output of a node")
    }
    var index = reference.index
    if let output = reference.output, let names = Operator.named(node.op)?.outputs, !names.isEmpty {
      guard let first = names.firstIndex(of: output) else { throw OpError("\(node.op) has no output '\(output)'") }
      index += first
    }
    if items.isEmpty { return .missing }
    guard items.indices.contains(index) else { return .other("output \(index) of \(node.op)") }
    return items[index]
  }

  /// The names of the nodes that results depend on and that are not lowered yet, each after its inputs; with control, of all
  /// nodes that run before the results, each after those that run before it.
  func order(of references: [String], withControl: Bool = false) throws(OpError) -> [String] {
    var order: [String] = []
    /// Nodes whose inputs have been looked at, and nodes that are in the order.
    var isOpen: Set<String> = []
    var isDone: Set<String> = withControl ? [] : Set(results.keys)
    var stack = references.reversed().map { Reference($0).node }
    while let name = stack.last {
      guard let node = nodes[name], !isDone.contains(name) else {
        stack.removeLast()
        continue
      }
      guard isOpen.insert(name).inserted else {
        stack.removeLast()
        isDone.insert(name)
        order.append(name)
        continue
      }
      for input in node.input.reversed() where withControl || !input.hasPrefix("^") {
        let next = Reference(input).node
        guard nodes[next] != nil, !isDone.contains(next) else { continue }
        guard !isOpen.contains(next) else { throw .unsupported("nodes that need each other (node '\(next)')") }
        stack.append(next)
      }
    }
    return order
  }

  /// The nodes that run for `results` and `effects`, also those that only have to run before others.
  func running(for results: [String], _ effects: [String]) -> [Tensorflow_NodeDef] {
    var found: [Tensorflow_NodeDef] = []
    var seen: Set<String> = []
    var stack = (results + effects).map { Reference($0).node }
    while let name = stack.popLast() {
      guard let node = nodes[name], seen.insert(name).inserted else { continue }
      found.append(node)
      stack += node.input.map { Reference($0).node }
    }
    return found.sorted { $0.name < $1.name }
  }
}

extension Tensorflow_NodeDef {
  /// The functions that attributes name.
  fileprivate var functions: [String] {
    attr.values.flatMap { value -> [String] in
      switch value.value {
      case .func(let function)?: [function.name]
      case .list(let list)?: list.func.map(\.name)
      default: []
      }
    }
  }
}

extension String {
  /// Whether the op of this name writes to a variable.
  fileprivate var changesState: Bool {
    let prefixes = ["Assign", "Resource", "Apply", "SparseApply", "Rng"]
    let readers = ["ResourceGather", "ResourceGatherNd"]
    let others = [
      "ScatterAdd", "ScatterDiv", "ScatterMax", "ScatterMin", "ScatterMul", "ScatterNdAdd", "ScatterNdMax",
      "ScatterNdMin",
      "ScatterNdSub", "ScatterNdUpdate", "ScatterSub", "ScatterUpdate", "StridedSliceAssign", "CountUpTo",
      "LookupTableInsertV2", "LookupTableImportV2", "LookupTableRemoveV2",
    ]
    return prefixes.contains { hasPrefix($0) } && !readers.contains(self) || others.contains(self)
  }
}
