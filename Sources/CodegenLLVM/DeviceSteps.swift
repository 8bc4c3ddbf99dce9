import CLLVM
public import Codegen
public import IR

/// A program whose kernels are functions of a device, with what its host must know of them.
public struct DeviceProgram: Sendable {
  public struct Function: Hashable, Sendable {
    /// The function's place in the artifact's table.
    public var number: Int
    /// The symbols whose values it takes, in the order of its arguments.
    public var symbols: [Symbol]

    public init(number: Int, symbols: [Symbol]) {
      self.number = number
      self.symbols = symbols
    }
  }

  public var program: Program
  /// One for each of the program's kernels.
  public var functions: [Function]

  public init(_ program: Program, functions: [Function]) {
    precondition(functions.count == program.kernels.count, "each kernel is a function of the device")
    self.program = program
    self.functions = functions
  }
}

/// Writes `tfc_opencl_program`: every step is a call of the runtime, buffers are memory objects with offsets.
struct DeviceSteps: StepWriter {
  let writer: CodeWriter
  var scope: IndexScope
  let symbols: LLVMValueRef
  private let device: DeviceProgram
  private let context: LLVMValueRef
  /// For each buffer, the number of its memory object and the offset in it.
  private var places: [(memory: LLVMValueRef, offset: LLVMValueRef)] = []
  /// Room for the arguments of one launch.
  private let arguments: LLVMValueRef

  static func emit(_ device: DeviceProgram, _ writer: CodeWriter) {
    ProgramEmitter.emit(device.program, DeviceSteps(device, writer))
  }

  private init(_ device: DeviceProgram, _ writer: CodeWriter) {
    let program = device.program
    self.device = device
    self.writer = writer
    let type = writer.functionType(writer.integerType(32), [writer.pointerType, writer.pointerType])
    let function = writer.declare("tfc_opencl_program", type)
    let entry = writer.beginDefinition(function)
    context = LLVMGetParam(function, 0)
    let counts = zip(program.kernels, device.functions).map { 2 * $0.buffers.count + $1.symbols.count }
    arguments = writer.allocate(writer.indexType, count: max(1, counts.max() ?? 0), alignment: 8, in: entry)
    symbols = LLVMGetParam(function, 1)
    scope = writer.symbolScope(program, at: symbols)
    for buffer in program.buffers {
      let offset: LLVMValueRef
      switch buffer.place {
      case .input, .output: offset = writer.index(0)
      case .arena(let byteOffset): offset = writer.index(byteOffset, scope)
      case .constant(let byteOffset): offset = writer.index(byteOffset)
      }
      places.append((writer.index(program.memoryNumber(of: buffer.place)), offset))
    }
  }

  func launch(_ launch: Program.Launch, number: Int) {
    let function = device.functions[launch.kernel]
    let buffers = launch.buffers.flatMap { [places[$0.index].memory, places[$0.index].offset] }
    let values = buffers + function.symbols.map { writer.index(IntegerExpression(.symbol($0)), scope) }
    for (position, value) in values.enumerated() {
      writer.store(value, writer.address(arguments, writer.indexType, writer.index(position)), alignment: 8)
    }
    let taskCount = writer.index(device.program.kernels[launch.kernel].taskCount, scope)
    let (number, kernel) = (writer.integer(number, 32), writer.integer(function.number, 32))
    call("tfc_opencl_launch", writer.voidType, [number, kernel, arguments, taskCount])
  }

  func copy(from source: BufferID, to destination: BufferID) {
    let (from, to) = (places[source.index], places[destination.index])
    let byteCount = writer.index(device.program.buffers[destination.index].type.byteCount, scope)
    call("tfc_opencl_copy", writer.voidType, [from.memory, from.offset, to.memory, to.offset, byteCount])
  }

  func read(_ buffer: BufferID, byteCount: Int) -> LLVMValueRef {
    let place = places[buffer.index]
    let value = call(
      "tfc_opencl_read", writer.indexType, [place.memory, place.offset, writer.integer(byteCount, 32)])
    return writer.cast(LLVMTrunc, value, to: writer.integerType(8 * byteCount))
  }

  func hasTiles(_ format: TileFormat) -> LLVMValueRef {
    let answer = call("tfc_opencl_has_fragments", writer.integerType(32), [])
    return writer.cast(LLVMTrunc, answer, to: writer.integerType(1))
  }

  func bands(_ bands: Program.Bands, number: Int) { preconditionFailure("bands are for a processor's caches") }

  /// The queue is in order.
  func concurrent(_ lists: [[Program.Step]], _ emit: (DeviceSteps, [Program.Step]) -> Void) {
    for list in lists { emit(self, list) }
  }

  /// Calls a function of the runtime with the context and these arguments.
  @discardableResult
  private func call(_ name: String, _ result: LLVMTypeRef, _ arguments: [LLVMValueRef]) -> LLVMValueRef {
    let all = [context] + arguments
    let type = writer.functionType(result, all.map { LLVMTypeOf($0) })
    return writer.call(writer.declare(name, type), type, all)
  }
}

extension Program {
  /// The number of the memory object that holds a place, as `tfc_opencl_memory` counts them.
  fileprivate func memoryNumber(of place: Place) -> Int {
    switch place {
    case .arena: 0
    case .constant: 1
    case .input(let position): 2 + position
    case .output(let position): 2 + inputs.count + position
    }
  }
}
