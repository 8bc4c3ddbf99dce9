import Foundation
import GraphBuilding
public import IR

/// Reads TensorFlow's SavedModels and GraphDefs into IR modules.
///
/// Of a SavedModel one signature is read; its arguments and results have the signature's names, in the order of the names,
/// and variables are constants with the values of the checkpoint. The inputs of a GraphDef are the nodes that take a value from its caller, its
/// results the nodes that no other one needs. An extent that the file leaves open becomes the symbol `NAME_dim_I`.
public struct TensorFlowImporter: Sendable {
  /// Values for symbols, by their names.
  public var symbols: [String: Int] = [:]
  /// Bounds of symbols without a value, by their names.
  public var symbolBounds: [String: SymbolBounds] = [:]
  /// Shapes of inputs for which the file does not say one.
  public var inputShapes: [String: [Int]] = [:]
  /// Values of inputs that shapes depend on.
  public var inputValues: [String: Literal] = [:]
  /// The signature to read; without it `serving_default`, or the only one.
  public var signature: String?

  public init() {}

  /// The module of the SavedModel folder or the GraphDef file at `path`; its one function has the signature's name.
  public func module(atPath path: String) throws(TensorFlowError) -> Module {
    try module(of: try ModelFile(path: path))
  }

  /// The module of a serialized GraphDef.
  public func module(from bytes: [UInt8]) throws(TensorFlowError) -> Module {
    try module(of: try ModelFile(graphDef: Data(bytes)))
  }

  private func module(of file: ModelFile) throws(TensorFlowError) -> Module {
    let bounds = Dictionary(
      uniqueKeysWithValues: symbolBounds.filter { symbols[$0.key] == nil }.map { (Symbol($0.key), $0.value) })
    return try module(file, SymbolFacts(bounds: bounds), again: Self.readingLimit)
  }

  /// The symbols of the inputs of the file at `path`, also those that `symbols` gives a value.
  public func symbolNames(atPath path: String) throws(TensorFlowError) -> [String] {
    let entry = try Entry(try ModelFile(path: path), signature)
    var names: [String] = []
    for input in entry.inputs {
      for (index, extent) in (input.extents ?? []).enumerated() where extent == nil {
        names.append(Entry.symbol(index, of: input.name))
      }
    }
    return names
  }

  /// How often a file is read anew, at most.
  private static let readingLimit = 8

  /// Where an op needs two extents to be equal, the file is read again for the symbols for which they are.
  private func module(_ file: ModelFile, _ facts: SymbolFacts, again: Int) throws(TensorFlowError) -> Module {
    var lowering = Lowering(file, self, facts)
    let module: Module
    do throws(TensorFlowError) { module = try lowering.module(try Entry(file, signature)) } catch {
      guard again > 0, error.kind == .unsupported, let facts = facts.next(after: lowering.construction) else {
        throw error
      }
      return try self.module(file, facts, again: again - 1)
    }
    for (symbol, range) in module.symbolBounds.sorted(by: { $0.key < $1.key }) {
      guard let upper = range.upper, range.lower > upper else { continue }
      throw .invalid("dimension '\(symbol)' would have to be at least \(range.lower) and at most \(upper)")
    }
    return module
  }
}

/// What of a file is compiled: its inputs and results.
struct Entry {
  struct Input {
    var name: String
    /// The output of a node that stands for it.
    var reference: String
    var type: Tensorflow_DataType
    /// Nil where not even the rank is known; an extent is nil where it is open.
    var extents: [Int?]?
  }

  var name: String
  var inputs: [Input]
  var results: [(name: String, reference: String)]

  init(_ file: ModelFile, _ signature: String?) throws(TensorFlowError) {
    if file.isSavedModel {
      try self.init(signatureOf: file, signature)
    } else {
      try self.init(graphOf: file)
    }
  }

  private init(signatureOf file: ModelFile, _ wanted: String?) throws(TensorFlowError) {
    let callable = file.signatures.filter { !$0.key.hasPrefix("__saved_model") }
    let names = callable.keys.sorted()
    let list = names.isEmpty ? "none" : names.joined(separator: ", ")
    let name: String
    if let wanted {
      name = wanted
    } else if callable["serving_default"] != nil {
      name = "serving_default"
    } else if names.count == 1 {
      name = names[0]
    } else {
      throw .invalid("the SavedModel has no signature 'serving_default'; it has \(list)")
    }
    guard let signature = callable[name] else {
      throw .invalid("the SavedModel has no signature '\(name)'; it has \(list)")
    }
    self.name = name
    inputs = signature.inputs.sorted { $0.key < $1.key }.map { name, info in
      Input(name: name, reference: info.name, type: info.dtype, extents: info.tensorShape.extents)
    }
    results = signature.outputs.sorted { $0.key < $1.key }.map { ($0.key, $0.value.name) }
    guard !results.isEmpty else { throw .invalid("signature '\(name)' has no results") }
  }

  private init(graphOf file: ModelFile) throws(TensorFlowError) {
    name = "main"
    // TensorFlow's op for an input of a graph has this name.
    inputs = file.graph.node.filter { $0.op == "Placeholder" }.map { node in
      Input(
        name: node.name, reference: node.name, type: node.attr["dtype"]?.type ?? .dtInvalid,
        extents: node.attr["shape"]?.shape.extents)
    }
    var needed: Set<String> = []
    for node in file.graph.node {
      for input in node.input { needed.insert(String(input.drop { $0 == "^" }.prefix { $0 != ":" })) }
    }
    results = file.graph.node.filter {
      !needed.contains($0.name) && !["NoOp", "Placeholder", "Assert"].contains($0.op)
    }
    .map { ($0.name, $0.name) }
    guard !results.isEmpty else { throw .invalid("the graph has no node that no other one needs") }
  }

  static func symbol(_ index: Int, of input: String) -> String { "\(input)_dim_\(index)" }
}

extension Lowering {
  /// The whole entry as a module.
  mutating func module(_ entry: Entry) throws(TensorFlowError) -> Module {
    var nodes = GraphNodes(file.graph.node)
    var inputs: [String] = []
    for input in entry.inputs {
      let place = input.reference.split(separator: ":").first.map { String($0) } ?? ""
      if let value = try bind(input) {
        nodes.results[place] = [.tensor(value)]
        inputs.append(input.name)
      } else {
        nodes.results[place] = []
      }
    }
    let items: [Item]
    do throws(OpError) { items = try evaluate(&nodes, entry.results.map(\.reference)) } catch {
      throw failure ?? (error.kind == .unsupported ? .unsupported([error.message]) : .invalid(error.message))
    }
    guard unsupported.isEmpty else { throw .unsupported(unsupported) }
    var results: [ValueID] = []
    for (result, item) in zip(entry.results, items) {
      guard case .tensor(let value) = item else {
        throw .unsupported(["results that are not tensors (result '\(result.name)')"])
      }
      do { results.append(try node(of: value)) } catch { throw .invalid("result '\(result.name)': \(error)") }
    }
    levels[0].graph.results = results
    let function = Function(
      name: entry.name, graph: levels[0].graph, parameterNames: inputs, resultNames: entry.results.map(\.name))
    var module = Module(name: "main", functions: [function])
    module.symbolBounds = arithmetic.bounds
    return module
  }

  /// Makes a parameter of an input; nil and a line in `unsupported` where it cannot be one.
  private mutating func bind(_ input: Entry.Input) throws(TensorFlowError) -> Value? {
    let element: ElementType
    do { element = try input.type.elementType() } catch {
      guard error.kind == .unsupported else { throw .invalid("input '\(input.name)': \(error.message)") }
      unsupported.append("\(error.message) (input '\(input.name)')")
      return nil
    }
    let dimensions: [Extent]
    if let extents = input.extents {
      dimensions = extents.enumerated().map { index, extent in
        if let extent { return Extent(extent) }
        let symbol = Entry.symbol(index, of: input.name)
        return options.symbols[symbol].map { Extent(max(0, $0)) } ?? construction.facts.resolved(.symbol(symbol))
      }
    } else if let shape = options.inputShapes[input.name] {
      dimensions = shape.map { Extent($0) }
    } else {
      unsupported.append("inputs without a shape (input '\(input.name)')")
      return nil
    }
    let type = TensorType(element, dimensions)
    do { try checkSize(type) } catch { throw .invalid("input '\(input.name)': \(error.message)") }
    var node = Tensorflow_NodeDef()
    node.name = input.name
    call = NodeCall(node)
    let value = parameter(type, name: input.name)
    if let literal = options.inputValues[input.name], literal.elementType == element, literal.type.rank == type.rank {
      assume(literal, for: value)
    }
    return value
  }
}
