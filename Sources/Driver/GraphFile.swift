internal import Codegen
internal import Foundation
internal import IR
internal import ImportONNX
internal import ImportStableHLO
internal import ImportTensorFlow
internal import Passes

/// What kind of file a model is in.
public enum GraphKind: Hashable, Sendable {
  case stableHLO, onnx
  /// A SavedModel folder, or a GraphDef.
  case tensorFlow
  /// A library that tfc made.
  case library

  /// The kind of the file, by its content where that tells, else by its name. Throws for what tfc does not read.
  public init(ofFile path: String) throws(Failure) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .refused("the file does not exist", place: path)
    }
    if isFolder.boolValue {
      guard
        ["saved_model.pb", "saved_model.pbtxt"].contains(where: {
          FileManager.default.fileExists(atPath: "\(path)/\($0)")
        })
      else { throw .refused("it is a folder, not a graph", place: path) }
      self = .tensorFlow
      return
    }
    let start = try Files.prefix(path, 512)
    let text = String(decoding: start, as: UTF8.self)
    if start.starts(with: [0x7F, 0x45, 0x4C, 0x46]) {
      self = .library
    } else if Module.isBytecode(start) {
      self = .stableHLO
    } else if start.dropFirst(4).starts(with: Array("TFL3".utf8)) {
      throw .unsupported("TensorFlow Lite model (\(path)); export the model as ONNX or StableHLO")
    } else if path.hasSuffix(".onnx") {
      self = .onnx
    } else if path.hasSuffix(".mlir")
      || ["module", "func.func", "//", "#", "\"builtin.module\""].contains(where: {
        text.drop { $0.isWhitespace }.hasPrefix($0)
      })
    {
      self = .stableHLO
    } else if path.hasSuffix(".pb") {
      self = .tensorFlow
    } else if path.hasSuffix(".pbtxt") {
      throw .unsupported("GraphDef as text (\(path)); write it in binary form")
    } else if path.hasSuffix(".pt") || path.hasSuffix(".pth") || path.hasSuffix(".safetensors") {
      throw .unsupported("PyTorch file (\(path)); export the model as ONNX")
    } else {
      throw .refused(
        "the kind of the file is unknown; expected .onnx, .mlir, .mlirbc, .pb, a SavedModel folder, or a library that tfc made",
        place: path)
    }
  }
}

/// Reads graphs from files.
struct GraphReader {
  /// Values for symbols.
  var dimensions: [Options.Dimension] = []
  /// What is known of the inputs: their shapes and, where a graph computes shapes from them, values.
  var inputs: [String: NumpyFile] = [:]
  /// The function that is compiled; nil for the file's entry.
  var function: String?

  func module(atPath path: String) throws(Failure) -> Module {
    switch try GraphKind(ofFile: path) {
    case .stableHLO: return try stableHLO(path)
    case .onnx: return try onnx(path)
    case .tensorFlow: return try tensorFlow(path)
    case .library: throw .refused("it is a library, expected a graph", place: path)
    }
  }

  private func stableHLO(_ path: String) throws(Failure) -> Module {
    do throws(StableHLOImportError) {
      return try StableHLOImporter().module(atPath: path)
    } catch {
      guard case .source(let error) = error else {
        let severity: Diagnostic.Severity = error.isUnsupported ? .unsupported : .error
        var message = error.description
        if case .op(let error) = error { message = error.message }
        throw Failure(.refused, [Diagnostic(place: path, severity: severity, message: message)])
      }
      throw refusal(of: error)
    }
  }

  private func refusal(of error: SourceError) -> Failure {
    if !error.unsupported.isEmpty {
      return Failure(
        .refused,
        error.unsupported.map {
          let place = "\(Files.name(of: $0.fileName)):\($0.place)"
          return Diagnostic(place: $0.fileName, severity: .unsupported, message: "\($0.feature) (\(place))")
        })
    }
    let place = "\(error.fileName):\(error.place)"
    return Failure(.refused, [Diagnostic(place: place, message: error.message, excerpt: error.excerpt?.lines ?? [])])
  }

  private func onnx(_ path: String) throws(Failure) -> Module {
    var importer = ONNXImporter()
    (importer.symbols, importer.symbolBounds) = (symbolValues, symbolBounds)
    (importer.inputShapes, importer.inputValues) = (inputs.mapValues(\.dimensions), shapeInputs)
    var known: [String] = []
    let module: Module
    do throws(ONNXError) {
      if !dimensions.isEmpty { known = try importer.symbolNames(atPath: path) }
      module = try importer.module(atPath: path)
    } catch {
      throw refusal(error.lines, isUnsupported: error.kind == .unsupported, path)
    }
    try checkDimensions(known, path)
    return module
  }

  private func tensorFlow(_ path: String) throws(Failure) -> Module {
    var importer = TensorFlowImporter()
    importer.signature = function
    (importer.symbols, importer.symbolBounds) = (symbolValues, symbolBounds)
    (importer.inputShapes, importer.inputValues) = (inputs.mapValues(\.dimensions), shapeInputs)
    var known: [String] = []
    let module: Module
    do throws(TensorFlowError) {
      if !dimensions.isEmpty { known = try importer.symbolNames(atPath: path) }
      module = try importer.module(atPath: path)
    } catch {
      throw refusal(error.lines, isUnsupported: error.kind == .unsupported, path)
    }
    try checkDimensions(known, path)
    return module
  }

  private func refusal(_ lines: [String], isUnsupported: Bool, _ path: String) -> Failure {
    let severity: Diagnostic.Severity = isUnsupported ? .unsupported : .error
    return Failure(.refused, lines.map { Diagnostic(place: path, severity: severity, message: $0) })
  }

  // MARK: - What importers are told

  private var symbolValues: [String: Int] {
    var values: [String: Int] = [:]
    for dimension in dimensions { values[dimension.symbol] = dimension.fixed }
    return values
  }

  private var symbolBounds: [String: SymbolBounds] {
    var bounds: [String: SymbolBounds] = [:]
    for dimension in dimensions where dimension.fixed == nil {
      bounds[dimension.symbol] = SymbolBounds(lower: dimension.lower, upper: dimension.upper)
    }
    return bounds
  }

  /// Inputs that may be shapes, axes, scales and the like.
  private var shapeInputs: [String: Literal] {
    inputs.compactMapValues { file in
      guard file.elementCount <= 4096, let type = file.naturalType else { return nil }
      return try? file.literal(type)
    }
  }

  /// A symbol that has a value is no longer in the module, so it is looked for among those of the file.
  private func checkDimensions(_ known: [String], _ path: String) throws(Failure) {
    guard let unknown = dimensions.first(where: { !known.contains($0.symbol) }) else { return }
    let list = known.isEmpty ? "none" : known.joined(separator: ", ")
    throw .refused("--dim: the graph has no dimension '\(unknown.symbol)'; it has \(list)", place: path)
  }

  /// The module with the values and ranges that the options give its symbols.
  func settingDimensions(of module: Module, _ path: String) throws(Failure) -> Module {
    var values: [Symbol: Int] = [:]
    var ranges: [Symbol: SymbolBounds] = [:]
    let known = module.symbols
    let kind = try GraphKind(ofFile: path)
    for dimension in dimensions {
      let symbol = Symbol(dimension.symbol)
      if let value = dimension.fixed {
        // The other importers have already replaced the symbols that have a value.
        if known.contains(symbol) || kind == .stableHLO { values[symbol] = value }
      } else {
        ranges[symbol] = SymbolBounds(lower: dimension.lower, upper: dimension.upper)
      }
    }
    do throws(OpError) {
      return try module.specialized(symbols: values).bounding(symbols: ranges)
    } catch {
      throw .refused("--dim: \(error)", place: path)
    }
  }
}
