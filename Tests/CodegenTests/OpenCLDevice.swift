import CodegenOpenCL
import Foundation
import IR

@testable import Codegen

/// Runs programs of launches over inputs and outputs on the first OpenCL device.
struct OpenCLDevice: ~Copyable {
  private typealias Run =
    @convention(c) (
      UnsafePointer<CChar>, Int32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>,
      UnsafePointer<Int64>, UnsafePointer<Int32>, Int32, UnsafePointer<UnsafeMutableRawPointer?>, UnsafePointer<Int64>
    ) -> UnsafePointer<CChar>

  private static let host = """
    #define CL_TARGET_OPENCL_VERSION 120
    #include <CL/cl.h>
    #include <stdint.h>
    #include <stdio.h>
    #include <stdlib.h>
    static char message[1 << 14];
    #define CHECK(call) if ((status = (call)) != CL_SUCCESS) { sprintf(message, "%s: %d", #call, status); return message; }
    const char *test_run(
        const char *source, int32_t launches, const char *const *names, const int32_t *buffer_counts,
        const int32_t *buffers, const int64_t *tasks, const int32_t *items, int32_t memory_count, void *const *memory,
        const int64_t *byte_counts) {
      cl_int status;
      cl_platform_id platform;
      cl_device_id device;
      CHECK(clGetPlatformIDs(1, &platform, NULL));
      CHECK(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL));
      cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &status);
      CHECK(status);
      cl_command_queue queue = clCreateCommandQueue(context, device, 0, &status);
      CHECK(status);
      cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, &status);
      CHECK(status);
      if (clBuildProgram(
              program, 1, &device, "-cl-std=CL1.2 -cl-fp32-correctly-rounded-divide-sqrt", NULL, NULL) != CL_SUCCESS) {
        clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof message - 1, message, NULL);
        return message;
      }
      cl_mem *objects = calloc((size_t)memory_count + 1, sizeof(cl_mem));
      for (int i = 0; i < memory_count; i++) {
        objects[i] = clCreateBuffer(
            context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, (size_t)byte_counts[i], memory[i], &status);
        CHECK(status);
      }
      for (int i = 0; i < launches; i++) {
        cl_kernel kernel = clCreateKernel(program, names[i], &status);
        CHECK(status);
        cl_uint argument = 0;
        cl_ulong offset = 0;
        for (int j = 0; j < buffer_counts[i]; j++) {
          CHECK(clSetKernelArg(kernel, argument++, sizeof(cl_mem), &objects[*buffers++]));
          CHECK(clSetKernelArg(kernel, argument++, sizeof offset, &offset));
        }
        cl_long count = tasks[i];
        CHECK(clSetKernelArg(kernel, argument++, sizeof count, &count));
        size_t local = (size_t)items[i], global = (size_t)tasks[i] * local;
        CHECK(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &global, &local, 0, NULL, NULL));
        clReleaseKernel(kernel);
      }
      for (int i = 0; i < memory_count; i++) {
        CHECK(clEnqueueReadBuffer(
            queue, objects[i], CL_TRUE, 0, (size_t)byte_counts[i], memory[i], 0, NULL, NULL));
        clReleaseMemObject(objects[i]);
      }
      clReleaseProgram(program);
      clReleaseCommandQueue(queue);
      clReleaseContext(context);
      free(objects);
      return "";
    }
    """

  private let function: Run

  init() throws { function = try Self.loaded.get() }

  /// The host's function, compiled once for all tests.
  private static let loaded = Result { try load() }

  private static func load() throws -> Run {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tfc-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (source, library) = (folder.appending(path: "host.c"), folder.appending(path: "library.so"))
    try Data(Self.host.utf8).write(to: source)
    try CompiledProgram.call(
      "cc", ["-shared", "-fPIC", "-O1", "-o", library.path, source.path, "-l:libOpenCL.so.1"])
    guard let handle = dlopen(library.path, RTLD_NOW | RTLD_LOCAL), let symbol = dlsym(handle, "test_run") else {
      throw TestFailure(description: dlerror().map { String(cString: $0) } ?? "the library has no test_run")
    }
    return unsafeBitCast(symbol, to: Run.self)
  }

  /// The outputs of a program that has only launches, over inputs and outputs of fixed extents.
  func run(_ program: Program, _ inputs: [Literal]) throws -> [Literal] {
    let source = OpenCLSource(program)
    let outputTypes = program.outputs.map { program.buffers[$0.index].type }
    let byteCounts = inputs.map(\.byteCount) + outputTypes.map { $0.byteCount.fixed ?? 0 }
    let memory = byteCounts.map { count in
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(64, count), alignment: 64)
      memory.initializeMemory(as: UInt8.self, repeating: 0xA5)
      return memory
    }
    defer { for each in memory { each.deallocate() } }
    for (literal, memory) in zip(inputs, memory) { memory.copyBytes(from: literal.expanded.bytes) }
    var names: [UnsafePointer<CChar>?] = []
    var (counts, buffers, tasks, items): ([Int32], [Int32], [Int64], [Int32]) = ([], [], [], [])
    for case .launch(let launch) in program.steps {
      let kernel = program.kernels[launch.kernel]
      names.append(UnsafePointer(strdup(source.functions[source.functionOfKernel[launch.kernel]].name)))
      counts.append(Int32(launch.buffers.count))
      tasks.append(Int64(kernel.taskCount.fixed ?? 0))
      items.append(Int32(kernel.itemCount))
      for buffer in launch.buffers {
        switch program.buffers[buffer.index].place {
        case .input(let position): buffers.append(Int32(position))
        case .output(let position): buffers.append(Int32(inputs.count + position))
        default: throw TestFailure(description: "the program has other buffers than inputs and outputs")
        }
      }
    }
    defer { for name in names { free(UnsafeMutablePointer(mutating: name)) } }
    let message = String(
      cString: function(
        source.text, Int32(names.count), names, counts, buffers + [0], tasks, items, Int32(memory.count),
        memory.map(\.baseAddress), memory.map { Int64($0.count) }))
    guard message.isEmpty else { throw TestFailure(description: message) }
    return outputTypes.enumerated().map { position, type in
      let bytes = [UInt8](memory[inputs.count + position].prefix(byteCounts[inputs.count + position]))
      return Literal(type.elementType, type.fixedDimensions ?? [], bytes: bytes)
    }
  }
}
