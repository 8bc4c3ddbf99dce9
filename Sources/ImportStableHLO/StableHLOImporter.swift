internal import Foundation
public import IR

/// Why a StableHLO file is refused.
public enum StableHLOImportError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file cannot be read, or is no text.
  case unreadable(String)
  /// The file is StableHLO in a form that tfc does not read.
  case unsupportedFormat(String)
  /// The text is wrong, or has parts that tfc does not implement.
  case text(TextError)
  /// An op of the file cannot be expressed in the IR.
  case op(OpError)

  /// Whether the file may be right and tfc does not implement what it holds.
  public var isUnsupported: Bool {
    switch self {
    case .unreadable: false
    case .unsupportedFormat: true
    case .text(let error): !error.unsupported.isEmpty
    case .op(let error): error.kind == .unsupported
    }
  }

  public var description: String {
    switch self {
    case .unreadable(let message): message
    case .unsupportedFormat(let message): "unsupported: \(message)"
    case .text(let error): error.description
    case .op(let error): error.description
    }
  }
}

/// Reads StableHLO files, as JAX and other frameworks write them, into the IR.
public struct StableHLOImporter: Sendable {
  /// A file larger than this is refused; its weights belong into a form that is not text.
  public static let largestByteCount = 4 << 30

  public init() {}

  /// The module in the file at `path`.
  public func module(atPath path: String) throws(StableHLOImportError) -> Module {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      throw .unreadable("\(path): error: the file cannot be read")
    }
    return try module([UInt8](data), fileName: path)
  }

  /// The module in a file's bytes; `fileName` is for messages.
  public func module(_ bytes: [UInt8], fileName: String) throws(StableHLOImportError) -> Module {
    guard bytes.count <= Self.largestByteCount else {
      throw .unreadable("\(fileName): error: the file has \(bytes.count) bytes, more than \(Self.largestByteCount)")
    }
    if bytes.starts(with: [0x4D, 0x4C, 0xEF, 0x52]) {
      throw .unsupportedFormat("StableHLO bytecode (\(fileName)); write the module as text")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .unreadable("\(fileName): error: the file is no UTF-8 text")
    }
    return try module(parsing: text, fileName: fileName)
  }

  /// The module that a text describes, its custom calls and composites expressed in ops where they have a meaning here.
  public func module(parsing text: String, fileName: String) throws(StableHLOImportError) -> Module {
    var module: Module
    do {
      module = try Module(parsing: text, fileName: fileName, acceptsCustomCall: KnownCall.isKnown)
    } catch {
      throw .text(error)
    }
    do {
      for index in module.functions.indices {
        let graph = module.functions[index].graph
        if graph.containsCalls { module.functions[index].graph = try graph.replacingKnownCalls() }
      }
    } catch {
      throw .op(error)
    }
    return module
  }
}
