module @sgd_step attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main(%arg0: tensor<5x7xf32>, %arg1: tensor<7xf32>, %arg2: tensor<7x3xf32>, %arg3: tensor<3xf32>, %arg4: tensor<11x5xf32>, %arg5: tensor<11xi32>) -> (tensor<5x7xf32> {jax.result_info = "result[0]"}, tensor<7xf32> {jax.result_info = "result[1]"}, tensor<7x3xf32> {jax.result_info = "result[2]"}, tensor<3xf32> {jax.result_info = "result[3]"}, tensor<f32> {jax.result_info = "result[4]"}) {
    %0 = stablehlo.dot_general %arg4, %arg0, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT] : (tensor<11x5xf32>, tensor<5x7xf32>) -> tensor<11x7xf32>
    %1 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<7xf32>) -> tensor<1x7xf32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [0, 1] : (tensor<1x7xf32>) -> tensor<11x7xf32>
    %3 = stablehlo.add %0, %2 : tensor<11x7xf32>
    %4 = call @relu(%3) : (tensor<11x7xf32>) -> tensor<11x7xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<11x7xf32>
    %6 = stablehlo.compare GT, %3, %5, FLOAT : (tensor<11x7xf32>, tensor<11x7xf32>) -> tensor<11x7xi1>
    %7 = stablehlo.dot_general %4, %arg2, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT] : (tensor<11x7xf32>, tensor<7x3xf32>) -> tensor<11x3xf32>
    %8 = stablehlo.broadcast_in_dim %arg3, dims = [1] : (tensor<3xf32>) -> tensor<1x3xf32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [0, 1] : (tensor<1x3xf32>) -> tensor<11x3xf32>
    %10 = stablehlo.add %7, %9 : tensor<11x3xf32>
    %cst_0 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %11 = stablehlo.reduce(%10 init: %cst_0) applies stablehlo.maximum across dimensions = [1] : (tensor<11x3xf32>, tensor<f32>) -> tensor<11xf32>
    %cst_1 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %12 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<11xf32>
    %13 = stablehlo.maximum %12, %11 : tensor<11xf32>
    %14 = stablehlo.broadcast_in_dim %13, dims = [0] : (tensor<11xf32>) -> tensor<11x1xf32>
    %15 = stablehlo.is_finite %14 : (tensor<11x1xf32>) -> tensor<11x1xi1>
    %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %16 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<f32>) -> tensor<11x1xf32>
    %17 = stablehlo.select %15, %14, %16 : tensor<11x1xi1>, tensor<11x1xf32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [0, 1] : (tensor<11x1xf32>) -> tensor<11x3xf32>
    %19 = stablehlo.subtract %10, %18 : tensor<11x3xf32>
    %20 = stablehlo.exponential %19 : tensor<11x3xf32>
    %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %21 = stablehlo.reduce(%20 init: %cst_3) applies stablehlo.add across dimensions = [1] : (tensor<11x3xf32>, tensor<f32>) -> tensor<11xf32>
    %22 = stablehlo.broadcast_in_dim %21, dims = [0] : (tensor<11xf32>) -> tensor<11x1xf32>
    %23 = stablehlo.abs %22 : tensor<11x1xf32>
    %cst_4 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %24 = stablehlo.broadcast_in_dim %cst_4, dims = [] : (tensor<f32>) -> tensor<11x1xf32>
    %25 = stablehlo.compare GE, %22, %24, FLOAT : (tensor<11x1xf32>, tensor<11x1xf32>) -> tensor<11x1xi1>
    %26 = stablehlo.log %23 : tensor<11x1xf32>
    %27 = stablehlo.add %26, %17 : tensor<11x1xf32>
    %28 = stablehlo.broadcast_in_dim %27, dims = [0, 1] : (tensor<11x1xf32>) -> tensor<11x3xf32>
    %29 = stablehlo.subtract %10, %28 : tensor<11x3xf32>
    %30 = stablehlo.broadcast_in_dim %arg5, dims = [0] : (tensor<11xi32>) -> tensor<11x1xi32>
    %31:2 = call @take_along_axis(%29, %30) : (tensor<11x3xf32>, tensor<11x1xi32>) -> (tensor<11x1xf32>, tensor<11x1x1xi32>)
    %cst_5 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %32 = stablehlo.reduce(%31#0 init: %cst_5) applies stablehlo.add across dimensions = [0, 1] : (tensor<11x1xf32>, tensor<f32>) -> tensor<f32>
    %cst_6 = stablehlo.constant dense<1.100000e+01> : tensor<f32>
    %33 = stablehlo.divide %32, %cst_6 : tensor<f32>
    %34 = stablehlo.negate %33 : tensor<f32>
    %cst_7 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %35 = stablehlo.negate %cst_7 : tensor<f32>
    %cst_8 = stablehlo.constant dense<1.100000e+01> : tensor<f32>
    %36 = stablehlo.divide %35, %cst_8 : tensor<f32>
    %37 = stablehlo.broadcast_in_dim %36, dims = [] : (tensor<f32>) -> tensor<11x1xf32>
    %38 = call @take_along_axis_0(%31#1, %37) : (tensor<11x1x1xi32>, tensor<11x1xf32>) -> tensor<11x3xf32>
    %39 = stablehlo.negate %38 : tensor<11x3xf32>
    %cst_9 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %40 = stablehlo.reduce(%39 init: %cst_9) applies stablehlo.add across dimensions = [1] : (tensor<11x3xf32>, tensor<f32>) -> tensor<11xf32>
    %41 = stablehlo.reshape %40 : (tensor<11xf32>) -> tensor<11x1xf32>
    %42 = stablehlo.divide %41, %23 : tensor<11x1xf32>
    %cst_10 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %43 = stablehlo.broadcast_in_dim %cst_10, dims = [] : (tensor<f32>) -> tensor<11x1xf32>
    %44 = stablehlo.select %25, %43, %42 : tensor<11x1xi1>, tensor<11x1xf32>
    %45 = stablehlo.select %25, %42, %43 : tensor<11x1xi1>, tensor<11x1xf32>
    %46 = stablehlo.negate %44 : tensor<11x1xf32>
    %47 = stablehlo.add %45, %46 : tensor<11x1xf32>
    %cst_11 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %48 = stablehlo.reduce(%47 init: %cst_11) applies stablehlo.add across dimensions = [1] : (tensor<11x1xf32>, tensor<f32>) -> tensor<11xf32>
    %49 = stablehlo.broadcast_in_dim %48, dims = [0] : (tensor<11xf32>) -> tensor<11x3xf32>
    %50 = stablehlo.multiply %49, %20 : tensor<11x3xf32>
    %51 = stablehlo.add %38, %50 : tensor<11x3xf32>
    %cst_12 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %52 = stablehlo.reduce(%51 init: %cst_12) applies stablehlo.add across dimensions = [0] : (tensor<11x3xf32>, tensor<f32>) -> tensor<3xf32>
    %53 = stablehlo.reshape %52 : (tensor<3xf32>) -> tensor<1x3xf32>
    %cst_13 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %54 = stablehlo.reduce(%53 init: %cst_13) applies stablehlo.add across dimensions = [0] : (tensor<1x3xf32>, tensor<f32>) -> tensor<3xf32>
    %55 = stablehlo.dot_general %51, %4, contracting_dims = [0] x [0], precision = [DEFAULT, DEFAULT] : (tensor<11x3xf32>, tensor<11x7xf32>) -> tensor<3x7xf32>
    %56 = stablehlo.transpose %55, dims = [1, 0] : (tensor<3x7xf32>) -> tensor<7x3xf32>
    %57 = stablehlo.dot_general %51, %arg2, contracting_dims = [1] x [1], precision = [DEFAULT, DEFAULT] : (tensor<11x3xf32>, tensor<7x3xf32>) -> tensor<11x7xf32>
    %cst_14 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %58 = stablehlo.broadcast_in_dim %cst_14, dims = [] : (tensor<f32>) -> tensor<11x7xf32>
    %59 = stablehlo.select %6, %57, %58 : tensor<11x7xi1>, tensor<11x7xf32>
    %cst_15 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %60 = stablehlo.reduce(%59 init: %cst_15) applies stablehlo.add across dimensions = [0] : (tensor<11x7xf32>, tensor<f32>) -> tensor<7xf32>
    %61 = stablehlo.reshape %60 : (tensor<7xf32>) -> tensor<1x7xf32>
    %cst_16 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %62 = stablehlo.reduce(%61 init: %cst_16) applies stablehlo.add across dimensions = [0] : (tensor<1x7xf32>, tensor<f32>) -> tensor<7xf32>
    %63 = stablehlo.dot_general %59, %arg4, contracting_dims = [0] x [0], precision = [DEFAULT, DEFAULT] : (tensor<11x7xf32>, tensor<11x5xf32>) -> tensor<7x5xf32>
    %64 = stablehlo.transpose %63, dims = [1, 0] : (tensor<7x5xf32>) -> tensor<5x7xf32>
    %cst_17 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %65 = stablehlo.broadcast_in_dim %cst_17, dims = [] : (tensor<f32>) -> tensor<5x7xf32>
    %66 = stablehlo.multiply %65, %64 : tensor<5x7xf32>
    %67 = stablehlo.subtract %arg0, %66 : tensor<5x7xf32>
    %cst_18 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %68 = stablehlo.broadcast_in_dim %cst_18, dims = [] : (tensor<f32>) -> tensor<7xf32>
    %69 = stablehlo.multiply %68, %62 : tensor<7xf32>
    %70 = stablehlo.subtract %arg1, %69 : tensor<7xf32>
    %cst_19 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %71 = stablehlo.broadcast_in_dim %cst_19, dims = [] : (tensor<f32>) -> tensor<7x3xf32>
    %72 = stablehlo.multiply %71, %56 : tensor<7x3xf32>
    %73 = stablehlo.subtract %arg2, %72 : tensor<7x3xf32>
    %cst_20 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %74 = stablehlo.broadcast_in_dim %cst_20, dims = [] : (tensor<f32>) -> tensor<3xf32>
    %75 = stablehlo.multiply %74, %54 : tensor<3xf32>
    %76 = stablehlo.subtract %arg3, %75 : tensor<3xf32>
    return %67, %70, %73, %76, %34 : tensor<5x7xf32>, tensor<7xf32>, tensor<7x3xf32>, tensor<3xf32>, tensor<f32>
  }
  func.func private @relu(%arg0: tensor<11x7xf32>) -> tensor<11x7xf32> {
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<11x7xf32>
    %1 = stablehlo.maximum %arg0, %0 : tensor<11x7xf32>
    return %1 : tensor<11x7xf32>
  }
  func.func private @take_along_axis(%arg0: tensor<11x3xf32>, %arg1: tensor<11x1xi32>) -> (tensor<11x1xf32>, tensor<11x1x1xi32>) {
    %c = stablehlo.constant dense<0> : tensor<i32>
    %0 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<11x1xi32>
    %1 = stablehlo.compare LT, %arg1, %0, SIGNED : (tensor<11x1xi32>, tensor<11x1xi32>) -> tensor<11x1xi1>
    %c_0 = stablehlo.constant dense<3> : tensor<i32>
    %2 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<i32>) -> tensor<11x1xi32>
    %3 = stablehlo.add %arg1, %2 : tensor<11x1xi32>
    %4 = stablehlo.select %1, %3, %arg1 : tensor<11x1xi1>, tensor<11x1xi32>
    %5 = stablehlo.reshape %4 : (tensor<11x1xi32>) -> tensor<11x1x1xi32>
    %c_1 = stablehlo.constant dense<2> : tensor<1xi32>
    %c_2 = stablehlo.constant dense<0> : tensor<i32>
    %6 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<i32>) -> tensor<11x1x1xi32>
    %7 = stablehlo.compare GE, %5, %6, SIGNED : (tensor<11x1x1xi32>, tensor<11x1x1xi32>) -> tensor<11x1x1xi1>
    %8 = stablehlo.broadcast_in_dim %c_1, dims = [2] : (tensor<1xi32>) -> tensor<1x1x1xi32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [0, 1, 2] : (tensor<1x1x1xi32>) -> tensor<11x1x1xi32>
    %10 = stablehlo.compare LE, %5, %9, SIGNED : (tensor<11x1x1xi32>, tensor<11x1x1xi32>) -> tensor<11x1x1xi1>
    %11 = stablehlo.and %7, %10 : tensor<11x1x1xi1>
    %c_3 = stablehlo.constant dense<true> : tensor<i1>
    %12 = stablehlo.reduce(%11 init: %c_3) applies stablehlo.and across dimensions = [2] : (tensor<11x1x1xi1>, tensor<i1>) -> tensor<11x1xi1>
    %13 = "stablehlo.gather"(%arg0, %5) <{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1>}> : (tensor<11x3xf32>, tensor<11x1x1xi32>) -> tensor<11x1xf32>
    %cst = stablehlo.constant dense<0x7FC00000> : tensor<f32>
    %14 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<11x1xf32>
    %15 = stablehlo.select %12, %13, %14 : tensor<11x1xi1>, tensor<11x1xf32>
    return %15, %5 : tensor<11x1xf32>, tensor<11x1x1xi32>
  }
  func.func private @take_along_axis_0(%arg0: tensor<11x1x1xi32>, %arg1: tensor<11x1xf32>) -> tensor<11x3xf32> {
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<11x3xf32>
    %1 = "stablehlo.scatter"(%0, %arg0, %arg1) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<inserted_window_dims = [1], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 2>, unique_indices = false}> ({
    ^bb0(%arg2: tensor<f32>, %arg3: tensor<f32>):
      %2 = stablehlo.add %arg2, %arg3 : tensor<f32>
      stablehlo.return %2 : tensor<f32>
    }) : (tensor<11x3xf32>, tensor<11x1x1xi32>, tensor<11x1xf32>) -> tensor<11x3xf32>
    return %1 : tensor<11x3xf32>
  }
}
