module @ops attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main(%arg0: tensor<4x6xf32> {tf.aliasing_output = 0 : i32}, %arg1: tensor<1x8x9x3xf32>, %arg2: tensor<3x2x3x5xf32>, %arg3: tensor<2x1xi32>, %arg4: tensor<7xui32>) -> (tensor<4x6xf32> {jax.result_info = "first"}, tensor<1x4x9x5xf32>, tensor<2x6xf32>, tensor<4x6xf32>, tensor<1x3x4x3xf32>, tensor<6xf32>, tensor<6xi32>, tensor<7xui32>, tensor<f32>, tensor<4x4xf32>, tensor<4x6xi1>) {
    %half = stablehlo.constant dense<5.000000e-01> : tensor<4x6xf32>
    %zero = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %one = stablehlo.constant dense<1> : tensor<i32>
    %half_x = stablehlo.multiply %arg0, %half : tensor<4x6xf32>
    %exp = stablehlo.exponential %half_x : tensor<4x6xf32>
    %called = func.call @inner(%exp) : (tensor<4x6xf32>) -> tensor<4x6xf32>
    %convolved = stablehlo.convolution(%arg1, %arg2) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [2, 1], pad = [[1, 1], [0, 1]], rhs_dilate = [1, 1], reverse = [false, true]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision DEFAULT>, #stablehlo<precision HIGHEST>]} : (tensor<1x8x9x3xf32>, tensor<3x2x3x5xf32>) -> tensor<1x4x9x5xf32>
    %gathered = "stablehlo.gather"(%arg0, %arg3) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 6>}> : (tensor<4x6xf32>, tensor<2x1xi32>) -> tensor<2x6xf32>
    %scattered = "stablehlo.scatter"(%arg0, %arg3, %gathered) <{indices_are_sorted = true, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>, unique_indices = false}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %sum = stablehlo.add %a, %b : tensor<f32>
      stablehlo.return %sum : tensor<f32>
    }) : (tensor<4x6xf32>, tensor<2x1xi32>, tensor<2x6xf32>) -> tensor<4x6xf32>
    %pooled = "stablehlo.reduce_window"(%arg1, %zero) <{padding = dense<[[0, 0], [0, 0], [1, 0], [0, 0]]> : tensor<4x2xi64>, window_dimensions = array<i64: 1, 3, 3, 1>, window_strides = array<i64: 1, 2, 2, 1>}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %max = stablehlo.maximum %a, %b : tensor<f32>
      stablehlo.return %max : tensor<f32>
    }) : (tensor<1x8x9x3xf32>, tensor<f32>) -> tensor<1x3x4x3xf32>
    %reduced = stablehlo.reduce(%arg0 init: %zero) applies stablehlo.add across dimensions = [0] : (tensor<4x6xf32>, tensor<f32>) -> tensor<6xf32>
    %iota = stablehlo.iota dim = 0 : tensor<6xi32>
    %sorted:2 = "stablehlo.sort"(%reduced, %iota) <{dimension = 0 : i64, is_stable = true}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<i32>, %d: tensor<i32>):
      %less = stablehlo.compare LT, %a, %b, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %less : tensor<i1>
    }) : (tensor<6xf32>, tensor<6xi32>) -> (tensor<6xf32>, tensor<6xi32>)
    %shift = stablehlo.constant dense<[1, 2, 3, 4294967295, 0, 7, 31]> : tensor<7xui32>
    %shifted = stablehlo.shift_right_logical %arg4, %shift : tensor<7xui32>
    %count = stablehlo.constant dense<0> : tensor<i32>
    %loop:2 = stablehlo.while(%i = %count, %s = %zero) : tensor<i32>, tensor<f32>
    cond {
      %limit = stablehlo.constant dense<3> : tensor<i32>
      %more = stablehlo.compare LT, %i, %limit, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %more : tensor<i1>
    } do {
      %next = stablehlo.add %i, %one : tensor<i32>
      %float = stablehlo.convert %next : (tensor<i32>) -> tensor<f32>
      %total = stablehlo.add %s, %float : tensor<f32>
      stablehlo.return %next, %total : tensor<i32>, tensor<f32>
    }
    %product = stablehlo.dot_general %arg0, %called, contracting_dims = [1] x [1], precision = [HIGH, HIGH] : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x4xf32>
    %mask = stablehlo.constant dense<[[true, false, true, true, false, false], [false, false, false, true, true, false], [true, true, true, true, true, true], [false, true, false, true, false, true]]> : tensor<4x6xi1>
    return %called, %convolved, %gathered, %scattered, %pooled, %sorted#0, %sorted#1, %shifted, %loop#1, %product, %mask : tensor<4x6xf32>, tensor<1x4x9x5xf32>, tensor<2x6xf32>, tensor<4x6xf32>, tensor<1x3x4x3xf32>, tensor<6xf32>, tensor<6xi32>, tensor<7xui32>, tensor<f32>, tensor<4x4xf32>, tensor<4x6xi1>
  }
  func.func private @inner(%arg0: tensor<4x6xf32>) -> tensor<4x6xf32> {
    %tail = stablehlo.slice %arg0 [0:4, 0:6:2] : (tensor<4x6xf32>) -> tensor<4x3xf32>
    %zero = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %padded = stablehlo.pad %tail, %zero, low = [0, 1], high = [0, 0], interior = [0, 1] : (tensor<4x3xf32>, tensor<f32>) -> tensor<4x6xf32>
    %reversed = stablehlo.reverse %padded, dims = [1] : tensor<4x6xf32>
    %transposed = stablehlo.transpose %reversed, dims = [1, 0] : (tensor<4x6xf32>) -> tensor<6x4xf32>
    %again = stablehlo.transpose %transposed, dims = [1, 0] : (tensor<6x4xf32>) -> tensor<4x6xf32>
    return %again : tensor<4x6xf32>
  }
}
