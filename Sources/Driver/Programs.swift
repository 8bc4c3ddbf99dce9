internal import Codegen
internal import CodegenLLVM
internal import CodegenOpenCL
internal import IR

/// What a function becomes: a program for each machine that its library runs on.
struct Programs {
  var cpu: Program?
  var device: DeviceCode?

  /// The one that runs where both can.
  var first: Program {
    guard let program = device?.program ?? cpu else { preconditionFailure("a library runs on one machine at least") }
    return program
  }

  /// Where the device's constants begin: behind the CPU's.
  var deviceConstantsOffset: Int {
    let end = cpu?.constantByteCount ?? 0
    return (end + Program.alignment - 1) / Program.alignment * Program.alignment
  }

  /// The constants of all programs, each at its place among the weights.
  var constants: [Program.Constant] {
    var all = cpu?.constants ?? []
    let offset = deviceConstantsOffset
    for var constant in device?.program.constants ?? [] {
      constant.byteOffset += offset
      all.append(constant)
    }
    return all
  }

  /// Gives back the constants' memory.
  mutating func removeConstants() {
    cpu?.constants = []
    device?.program.constants = []
  }
}

/// A program for an OpenCL device, with its kernels in OpenCL C.
struct DeviceCode {
  var program: Program
  let source: OpenCLSource

  init(_ program: Program) {
    self.program = program
    source = OpenCLSource(program)
  }

  /// What runs on the host.
  var host: DeviceProgram {
    let functions = source.functionOfKernel.map { number in
      DeviceProgram.Function(number: number, symbols: source.functions[number].symbols)
    }
    return DeviceProgram(program, functions: functions)
  }

  /// What the artifact's tables say of it, whose source is in a file and whose constants begin at a byte of the weights.
  func interface(sourceFile: String, constantsOffset: Int) -> ModelInterface.Device {
    let functions = source.functions.map {
      ModelInterface.Device.Function(
        name: $0.name, bufferCount: $0.bufferCount, symbolCount: $0.symbols.count, itemCount: $0.itemCount)
    }
    var device = ModelInterface.Device(
      sourceFile: sourceFile, sourceByteCount: source.text.utf8.count, functions: functions)
    if source.usesF64 { device.needs.append("TFC_OPENCL_F64") }
    if source.usesByteProducts { device.features.append("TFC_OPENCL_BYTE_PRODUCTS") }
    if source.usesFragments { device.features.append("TFC_OPENCL_FRAGMENTS") }
    device.constantsOffset = constantsOffset
    device.constantsByteCount = program.constantByteCount
    device.arenaByteCount = program.arenaByteCount
    return device
  }
}

extension Program {
  /// The bytes from the first constant to the end of the last.
  var constantByteCount: Int { constants.map { $0.byteOffset + $0.value.byteCount }.max() ?? 0 }
}
